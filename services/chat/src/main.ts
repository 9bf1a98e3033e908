import { runMain } from '@boardwire/service-kit';
import { boot } from './boot.ts';

await runMain(boot);
