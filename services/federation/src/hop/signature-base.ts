import { answerComponents, HopError, requestComponents } from './hop-profile.ts';

/** A request as it stands on the wire. */
export interface HopRequest {
  method: string;
  /** The request target in origin form: path and query as they were sent. */
  target: string;
  headers: HopHeaders;
  body: Uint8Array;
}

/** By lower-case name; a header that came several times keeps all its values. */
export type HopHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** RFC 9421 signature base of a request in the profile. */
export function requestBase({ method, target, headers }: Omit<HopRequest, 'body'>, parametersText: string): Buffer {
  const [path, query] = splitTarget(target);
  const derived: Record<string, string> = { '@method': method, '@path': path, '@query': query };
  const lines = requestComponents.map((name) => `"${name}": ${derived[name] ?? oneValue(headers, name)}`);
  return baseOf(lines, parametersText);
}

/** RFC 9421 signature base of an answer; `requestSignature` is the text of the signature that it answers. */
export function answerBase(
  { status, headers, requestSignature }: { status: number; headers: HopHeaders; requestSignature: string },
  parametersText: string,
): Buffer {
  const values = [status, oneValue(headers, 'content-digest'), oneValue(headers, 'content-type'), requestSignature];
  const lines = answerComponents.map((component, at) => `${component}: ${values[at]}`);
  return baseOf(lines, parametersText);
}

/** The header's only value. @throws HopError `sig_missing` when there is none, `sig_invalid` when there are several. */
export function oneValue(headers: HopHeaders, name: string): string {
  const value = headers[name];
  const values = typeof value === 'string' ? [value] : (value ?? []);
  const first = values[0];
  if (first === undefined || first === '') throw new HopError('sig_missing', `${name} is missing`);
  // A line break or a blank at an end could make two messages of one base.
  if (values.length > 1 || !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(first)) {
    throw new HopError('sig_invalid', `${name} is not one plain value`);
  }
  return first;
}

function splitTarget(target: string): [path: string, query: string] {
  if (!/^\/[\x21-\x7e]*$/.test(target) || target.includes('#'))
    throw new HopError('sig_invalid', 'not an origin-form target');
  const mark = target.indexOf('?');
  return mark < 0 ? [target, '?'] : [target.slice(0, mark), target.slice(mark)];
}

function baseOf(lines: readonly string[], parametersText: string): Buffer {
  return Buffer.from([...lines, `"@signature-params": ${parametersText}`].join('\n'), 'latin1');
}
