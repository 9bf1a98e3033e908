/** What the operator's command needs of this applet. */
export { configSchema as axonchatConfig } from './config.ts';
