import { accountRoutes } from './account-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { boardRoutes } from './board-routes.ts';
import { federationRoutes } from './federation-routes.ts';
import type { DocumentedRoute } from './documented-route.ts';
import { siteRoutes } from './site-routes.ts';

/** Every public route. Tests hold it equal to what the running services have. */
export const documentedRoutes: readonly DocumentedRoute[] = [
  ...accountRoutes,
  ...boardRoutes,
  ...auditRoutes,
  ...federationRoutes,
  ...siteRoutes,
];
