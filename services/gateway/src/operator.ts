/** What the operator's command needs of this service. */
export { gatewayConfig } from './config.ts';
