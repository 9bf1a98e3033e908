import process from 'node:process';

/** Every contender delivers the same bytes: an event of 200 bytes of JSON that holds the mark of `native/mark.h`. */
export const payloadBytes = 200;

const numberDigits = 10;
const timeDigits = 16;
const start = '{"specversion":"1.0","type":"bench.event","source":"/users/bench","data":"';
const end = '"}';

/** `@@<number> <nanoseconds of the monotonic clock, which all processes of a machine share>`. */
export function mark(number: number): string {
  const now = process.hrtime.bigint().toString().padStart(timeDigits, '0');
  return `@@${String(number).padStart(numberDigits, '0')} ${now}`;
}

export function payloadText(number: number, bytes = payloadBytes): string {
  return `${(start + mark(number)).padEnd(bytes - end.length, 'x')}${end}`;
}

/** The same for servers that take an object. */
export function payloadObject(number: number): Record<string, unknown> {
  return JSON.parse(payloadText(number)) as Record<string, unknown>;
}
