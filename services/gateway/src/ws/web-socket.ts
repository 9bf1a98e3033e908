import { closeCodes } from '@boardwire/contracts';
import type { RawData } from 'ws';

const knownCodes = new Set<number>([...Object.values(closeCodes).map(({ code }) => code), 1005, 1006, 1007]);

/** A close code as a metric's label: clients may make up any number. */
export function closeLabel(code: number): string {
  return knownCodes.has(code) ? String(code) : 'other';
}

/** The library hands over a Buffer unless it was told otherwise. */
export function textOf(data: RawData): string {
  return Buffer.isBuffer(data)
    ? data.toString()
    : Buffer.concat([data].flat().map((part) => Buffer.from(part as Buffer))).toString();
}
