/** The federation service: who this site is, and what it shares with other sites. */
export { boot } from './boot.ts';
export { verifySiteDocument } from './identity/verify-site-document.ts';
export { siteIdOf } from './identity/site-id.ts';
