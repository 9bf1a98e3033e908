import { applets } from './applets.mjs';
import { audit } from './audit.mjs';
import { delivery } from './delivery.mjs';
import { federation } from './federation.mjs';
import { logAndBus } from './log-and-bus.mjs';
import { dashboardJson } from './panels.mjs';
import { services } from './services.mjs';

export const dashboards = [delivery, logAndBus, federation, audit, services, applets];

/** Text of each file by its name. */
export function dashboardFiles() {
  return Object.fromEntries(
    dashboards.map((one) => [`${one.uid}.json`, `${JSON.stringify(dashboardJson(one), undefined, 2)}\n`]),
  );
}
