import { statfsSync } from 'node:fs';
import type { Metrics } from './metrics.ts';

/**
 * Tells how much room is left on the disk that `path` is on, asked for at each scrape.
 *
 * @throws when there is no such path: a service that was told to watch a disk must not start without seeing it.
 */
export function watchDisk(metrics: Metrics, path: string): void {
  roomOn(path);
  const tell = (name: string, help: string, value: (room: DiskRoom) => number) =>
    metrics.gauge(name, help, [], (gauge) => gauge.set(value(roomNow(path))));
  tell('disk_available_bytes', 'Room left on the disk that holds the data.', ({ available }) => available);
  tell('disk_size_bytes', 'Size of the disk that holds the data.', ({ size }) => size);
}

interface DiskRoom {
  available: number;
  size: number;
}

/** Without what is kept for the superuser: databases don't run as one. */
function roomOn(path: string): DiskRoom {
  const { bsize, bavail, blocks } = statfsSync(path);
  return { available: bavail * bsize, size: blocks * bsize };
}

/** Not known rather than old, when the disk went away: 0 would be an alarm, and the last value a lie. */
function roomNow(path: string): DiskRoom {
  try {
    return roomOn(path);
  } catch {
    return { available: Number.NaN, size: Number.NaN };
  }
}
