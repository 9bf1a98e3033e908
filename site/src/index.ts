export type { HostedService } from './hosted-service.ts';
export { nodeFlagsOf } from './node-flags.ts';
export { serviceKinds, type ServiceKind } from './service-name.ts';
export type { AdminPassword } from './site-secrets.ts';
export { readSiteRecord, type SiteRecord } from './site-state.ts';
export { startSite, type Site, type SiteOptions } from './start-site.ts';
export { UserError } from './user-error.ts';
