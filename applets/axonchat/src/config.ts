import { baseUrlKey, commonConfig } from '@boardwire/service-kit';
import type { z } from 'zod';

export const configSchema = commonConfig.extend({ CHAT_URL: baseUrlKey });
export type Config = z.infer<typeof configSchema>;
