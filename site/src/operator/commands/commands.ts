import type { Command } from '../command.ts';
import { checkConfig } from './check-config.ts';
import { doctor } from './doctor.ts';
import { rebuildStream } from './rebuild-stream.ts';
import { restored } from './restored.ts';
import { resync } from './resync.ts';
import { rotateKeys } from './rotate-keys.ts';

export const commands: readonly Command[] = [doctor, checkConfig, rebuildStream, resync, restored, rotateKeys];
