/**
 * The host of a server's address that a user gave in a setting, as `host:port`, for messages: never its password.
 * Rejects what is no such address with the setting's name and the form it has.
 */
export function addressIn(
  setting: string,
  text: string,
  { protocols, form }: { protocols: readonly string[]; form: string },
): { host: string; hostname: string; port: number | undefined } {
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw new Error(`${setting} is no address: it looks like ${form}`);
  }
  const { host, hostname, port } = new URL(text);
  // An IPv6 address stands in brackets in an address, and without them everywhere else.
  return { host, hostname: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? undefined : Number(port) };
}
