import type { DocumentedRoute } from './documented-route.ts';
import {
  auditDayParameters,
  auditDaysParameters,
  auditEntriesParameters,
  auditFilterParameters,
  checkpointParameters,
  consistencyParameters,
  limitParameter,
  logEpochParameter,
} from './parameters.ts';

const json = 'application/json';
const base = { method: 'get', tag: 'audit', access: 'auditor' } as const;

/** Passed on to the audit service. */
export const auditRoutes: readonly DocumentedRoute[] = [
  {
    ...base,
    path: '/v1/audit/latest',
    id: 'auditLatest',
    summary: 'The newest entries, oldest first',
    parameters: [limitParameter],
    answers: { 200: { summary: 'Entries', content: { [json]: 'AuditPage' } } },
    refusals: ['invalid'],
  },
  {
    ...base,
    path: '/v1/audit/days',
    id: 'auditDays',
    summary: 'The days that have entries',
    parameters: auditDaysParameters,
    answers: { 200: { summary: 'Days with their counts', content: { [json]: 'AuditDays' } } },
    refusals: ['invalid'],
  },
  {
    ...base,
    path: '/v1/audit/days/{day}',
    id: 'auditDay',
    summary: 'The entries of a day',
    parameters: auditDayParameters,
    answers: { 200: { summary: 'Entries', content: { [json]: 'AuditPage' } } },
    refusals: ['invalid', 'invalid_day'],
  },
  {
    ...base,
    path: '/v1/audit/entries',
    id: 'auditEntries',
    summary: 'The entries that a filter matches',
    description:
      'Different conditions must all hold, of one that is repeated any. A search that takes long answers what it has ' +
      'found so far, be it nothing, with the `next` to go on at.',
    parameters: auditEntriesParameters,
    answers: { 200: { summary: 'Entries', content: { [json]: 'AuditPage' } } },
    refusals: ['invalid'],
  },
  {
    ...base,
    path: '/v1/audit/facets',
    id: 'auditFacets',
    summary: 'What the entries that a filter matches have in common',
    parameters: auditFilterParameters,
    answers: { 200: { summary: 'Values with their counts', content: { [json]: 'AuditFacets' } } },
    refusals: ['invalid'],
  },
  {
    ...base,
    path: '/v1/audit/entries/{seq}/neighbours',
    id: 'auditNeighbours',
    summary: 'The entries around one, oldest first',
    parameters: [limitParameter],
    answers: { 200: { summary: 'Entries', content: { [json]: 'AuditPage' } } },
    refusals: ['invalid', 'not_found'],
  },
  {
    ...base,
    path: '/v1/audit/entries/{seq}',
    id: 'auditEntry',
    summary: 'One entry',
    answers: { 200: { summary: 'The entry', content: { [json]: 'AuditEntry' } } },
    refusals: ['not_found'],
  },
  {
    ...base,
    path: '/v1/audit/entries/{seq}/proof',
    id: 'auditEntryProof',
    summary: 'That an entry is in the tree of the newest checkpoint',
    answers: { 200: { summary: 'An audit path (RFC 6962)', content: { [json]: 'AuditProof' } } },
    refusals: ['not_found'],
  },
  {
    ...base,
    path: '/v1/audit/entries/{seq}/tlog-proof',
    id: 'auditEntryTlogProof',
    summary: 'The same proof as one text that stands alone',
    answers: { 200: { summary: 'C2SP tlog-proof', content: { 'text/plain': 'text' } } },
    refusals: ['not_found'],
  },
  {
    ...base,
    path: '/v1/audit/entries/{seq}/disclosure',
    id: 'auditEntryDisclosure',
    summary: 'What opens an entry’s `datahash`',
    description: '`datahash` is SHA-256 over salt and data. Both are gone once the content is.',
    answers: { 200: { summary: 'Salt and data', content: { [json]: 'AuditDisclosure' } } },
    refusals: ['not_found'],
  },
  {
    ...base,
    path: '/v1/audit/proof/consistency',
    id: 'auditConsistency',
    summary: 'That a smaller log is the beginning of a larger one',
    parameters: consistencyParameters,
    answers: { 200: { summary: 'A consistency proof (RFC 6962)', content: { [json]: 'AuditConsistency' } } },
    refusals: ['invalid'],
  },
  {
    ...base,
    path: '/v1/audit/checkpoint',
    id: 'auditCheckpoint',
    summary: 'The newest signed checkpoint, or the one of a size',
    parameters: checkpointParameters,
    answers: { 200: { summary: 'A signed note (C2SP tlog-checkpoint)', content: { 'text/plain': 'text' } } },
    refusals: ['not_found', 'invalid'],
  },
  {
    ...base,
    path: '/v1/audit/checkpoints',
    id: 'auditCheckpoints',
    summary: 'Signed checkpoints that are stored, the newest first',
    parameters: [limitParameter, logEpochParameter],
    answers: { 200: { summary: 'Checkpoints', content: { [json]: 'AuditCheckpoints' } } },
    refusals: ['not_found', 'invalid'],
  },
  {
    ...base,
    path: '/v1/audit/tile/{tile}',
    id: 'auditTile',
    summary: 'A tile of the tree, or a bundle of records',
    description:
      'As C2SP tlog-tiles has it: `<level>/<index>[.p/<width>]` for hashes, `entries/<index>[.p/<width>]` for records, each ' +
      'behind its length in two bytes; an index is written in groups of three digits, `x001/234`. Full tiles never change. ' +
      'Records that have outlived their retention are gone; hashes stay.',
    parameters: [logEpochParameter],
    answers: { 200: { summary: 'Bytes', content: { 'application/octet-stream': 'text' } } },
    refusals: ['not_found', 'invalid'],
  },
  {
    ...base,
    path: '/v1/audit/key',
    id: 'auditKey',
    summary: 'The key that checks checkpoints',
    answers: {
      200: {
        summary: 'For each epoch of the log, newest first, a line: name, hash and key',
        content: { 'text/plain': 'text' },
      },
    },
    refusals: [],
  },
  {
    ...base,
    path: '/v1/audit/health',
    id: 'auditHealth',
    summary: 'How far the log has come, and what is missing from it',
    answers: { 200: { summary: 'Its state', content: { [json]: 'AuditHealth' } } },
    refusals: [],
  },
];
