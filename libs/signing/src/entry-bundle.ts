import { tileWidth } from './tiles.ts';

/** What a length of two bytes can say. */
export const recordBytesMax = 0xffff;

/** Up to 256 records as C2SP tlog-tiles bundles them: each after its length (uint16, big-endian). */
export function encodeEntryBundle(records: readonly Uint8Array[]): Buffer {
  if (records.length > tileWidth) throw new RangeError(`a bundle holds ${tileWidth} records, not ${records.length}`);
  const parts = records.flatMap((record) => {
    if (record.length > recordBytesMax) throw new RangeError(`a record of ${record.length} bytes fits no bundle`);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(record.length);
    return [length, record];
  });
  return Buffer.concat(parts);
}

/** Reverses {@link encodeEntryBundle}. Throws a RangeError unless the bytes are whole records, 256 of them at most. */
export function decodeEntryBundle(bundle: Uint8Array): Buffer[] {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + 2;
    const end = start <= bytes.length ? start + bytes.readUInt16BE(at) : Infinity;
    if (end > bytes.length) throw new RangeError(`the bundle ends within record ${records.length}`);
    if (records.length === tileWidth) throw new RangeError(`the bundle holds more than ${tileWidth} records`);
    records.push(bytes.subarray(start, end));
    at = end;
  }
  return records;
}
