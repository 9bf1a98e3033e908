import { axonchat } from './axonchat/axonchat.ts';
import type { Dialect } from './dialect.ts';

export type * from './dialect.ts';
export { axonchat, axonchatEvents } from './axonchat/axonchat.ts';
export type { AxonchatMessage } from './axonchat/encode-messages.ts';
export { refusalBody } from './refusal-body.ts';

/** Every dialect that a gateway mounts. */
export const dialects: readonly Dialect[] = [axonchat];
