/**
 * The nonce that the gateway wrote into this page, for the style elements that the component library adds. Browsers hide
 * it from `getAttribute` but not from the property.
 */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
}
