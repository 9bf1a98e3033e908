import { chatConfig } from '@boardwire/chat/operator';
import { auditConfig } from '@boardwire/audit/operator';
import { axonchatConfig } from '@boardwire/axonchat/operator';
import { federationConfig } from '@boardwire/federation/operator';
import { gatewayConfig } from '@boardwire/gateway/operator';
import { ConfigError, readConfig } from '@boardwire/service-kit';
import type { Command, Given } from '../command.ts';
import { serviceKinds, type ServiceKind } from '../../service-name.ts';
import { serviceKindOf } from '../site-settings.ts';

const schemas = {
  gateway: gatewayConfig,
  chat: chatConfig,
  federation: federationConfig,
  audit: auditConfig,
  applets: axonchatConfig,
} as const satisfies Record<ServiceKind, unknown>;

export const checkConfig: Command = {
  name: 'check-config',
  summary: 'reads the settings of every service as the service itself would',
  options: {
    service: { type: 'string', value: 'service', isRepeated: true, says: 'only this one; default all of them' },
  },
  explains: `Each service's settings go through the very schema that it starts with, and every mistake is told at once. Values are never
shown: they may be secrets. Nothing is connected to; doctor does that.`,
  examples: [
    'boardwire check-config',
    'boardwire check-config --env-file production.env --service gateway --service chat',
    'boardwire check-config --env --service chat      # in the container of chat',
  ],
  run(given: Given) {
    const wanted = given.all('service').map(serviceKindOf);
    for (const kind of wanted.length > 0 ? wanted : serviceKinds) check(kind, given);
    return Promise.resolve();
  },
};

function check(kind: ServiceKind, { settings, report }: Given): void {
  try {
    readConfig(schemas[kind], settings.envOf(kind));
    report.add({ check: kind, verdict: 'ok', says: 'its settings can be used' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { key, message } of error.badKeys) {
      const mend = `Set ${key} as .env.example says.`;
      report.add({ check: kind, verdict: 'finding', says: `${key}: ${message}`, mend });
    }
  }
}
