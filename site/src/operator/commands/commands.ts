import type { Command } from '../command.ts';
import { checkConfig } from './check-config.ts';
import { rebuildStream } from './rebuild-stream.ts';
import { restored } from './restored.ts';
import { resync } from './resync.ts';

export const commands: readonly Command[] = [checkConfig, rebuildStream, resync, restored];
