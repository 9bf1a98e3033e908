/** The services of a site, in the order in which their internal ports are numbered. */
export const serviceKinds = ['gateway', 'chat', 'federation', 'audit', 'applets'] as const;
export type ServiceKind = (typeof serviceKinds)[number];

interface ServiceSource {
  /** The package that exports `boot`. */
  packageName: string;
  /** Its entry file, from the repository's root. */
  entry: string;
  /** Its schema, when it stores anything. */
  schema?: string;
  /** Runs as a role of its own that owns none of its tables. */
  runner?: { role: string; mayBecome: readonly string[] };
}

export const serviceSources: Readonly<Record<ServiceKind, ServiceSource>> = {
  gateway: { packageName: '@boardwire/gateway', entry: 'services/gateway/dist/main.js' },
  chat: { packageName: '@boardwire/chat', entry: 'services/chat/dist/main.js', schema: 'chat' },
  federation: {
    packageName: '@boardwire/federation',
    entry: 'services/federation/dist/main.js',
    schema: 'federation',
  },
  audit: {
    packageName: '@boardwire/audit',
    entry: 'services/audit/dist/main.js',
    schema: 'audit',
    runner: { role: 'boardwire_audit_append', mayBecome: ['boardwire_audit_retention'] },
  },
  applets: { packageName: '@boardwire/axonchat', entry: 'applets/axonchat/dist/main.js' },
};
