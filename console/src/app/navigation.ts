import type { User } from '@boardwire/contracts';
import { mayAdminister, mayReadAudit } from '../realtime/rights.ts';
import type { IconName } from '../ui/icon.tsx';

export interface Destination {
  path: string;
  label: string;
  icon: IconName;
  /** Who finds it in the side bar; everybody, without it. */
  isFor?: (user: User) => boolean;
}

/** The screens of the side bar, in its order. */
export const destinations: readonly Destination[] = [
  { path: '/axonchat', label: 'AxonChat', icon: 'chat' },
  { path: '/live', label: 'Live view', icon: 'pulse' },
  { path: '/audit', label: 'Audit', icon: 'shield', isFor: mayReadAudit },
  { path: '/federation', label: 'Federation', icon: 'sites', isFor: mayAdminister },
];
