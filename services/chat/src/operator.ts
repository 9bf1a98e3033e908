/** What the operator's command needs of this service. */
export { chatConfig } from './config.ts';
export { migrations } from './migrations/migrations.ts';
export {
  MirrorUnavailable,
  rebuildMirror,
  type RebuildMirrorOptions,
  type RebuiltBoard,
} from './operator/rebuild-mirror.ts';
export { rotateTokenKey, type TokenKey, type TokenKeys } from './operator/rotate-token-key.ts';
