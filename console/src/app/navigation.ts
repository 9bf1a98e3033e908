import type { IconName } from '../ui/icon.tsx';

export interface Destination {
  path: string;
  label: string;
  icon: IconName;
}

/** The screens of the side bar, in its order. */
export const destinations: readonly Destination[] = [
  { path: '/axonchat', label: 'AxonChat', icon: 'chat' },
  { path: '/live', label: 'Live view', icon: 'pulse' },
];
