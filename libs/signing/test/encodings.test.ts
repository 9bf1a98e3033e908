import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import fc from 'fast-check';
import {
  canonicalJson,
  decodeBase32,
  encodeBase32,
  generateSigningKey,
  preAuthenticationEncoding,
  signEnvelope,
  verifyEnvelope,
} from '../src/index.ts';

const { seed } = seededRandom();

describe('base32', () => {
  // RFC 4648, section 10, in lower case and without padding.
  test.each([
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ])('%p is %p', (text, encoded) => {
    expect(encodeBase32(Buffer.from(text))).toBe(encoded);
    expect(decodeBase32(encoded)?.toString()).toBe(text);
  });

  test('32 bytes become 52 characters', () => {
    expect(encodeBase32(Buffer.alloc(32, 0xff))).toHaveLength(52);
  });

  test('any bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(decodeBase32(encodeBase32(bytes))).toEqual(Buffer.from(bytes));
      }),
      { seed },
    );
  });

  test.each(['m', 'MY', 'mz', 'm1', 'my======', 'mzxw6y'])('%p has no bytes: every id has one spelling', (text) => {
    expect(decodeBase32(text)).toBeUndefined();
  });
});

describe('canonical JSON', () => {
  test('RFC 8785, section 3.2.2: numbers, strings and literals', () => {
    const value: unknown = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],` +
        String.raw`"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    );
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('RFC 8785, section 3.2.3: members are sorted by UTF-16 code units', () => {
    const value: unknown = JSON.parse(
      String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",` +
        String.raw`"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    );
    const names = Object.values(JSON.parse(canonicalJson(value)) as Record<string, string>);
    // JSON.parse puts the integer-like member first; the text has the carriage return first.
    expect(canonicalJson(value).startsWith(String.raw`{"\r":"Carriage Return","1":"One","`)).toBe(true);
    expect(names.slice(2)).toEqual([
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  // RFC 8785, appendix B, by the IEEE 754 bits.
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('the number %s is written %s', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE(0))).toBe(text);
  });

  test('any JSON value comes back, and its form does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(JSON.parse(canonicalJson(plain))).toEqual(plain);
        expect(canonicalJson(reversed(plain))).toBe(canonicalJson(plain));
      }),
      { seed },
    );
  });

  test.each([
    ['undefined', undefined],
    ['an undefined member', { a: undefined }],
    ['NaN', Number.NaN],
    ['infinity', [Infinity]],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate as a name', { '\udead': 1 }],
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['a function', () => 1],
  ])('%s has no canonical form', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  test.each([
    ['{"10":2,"9":1}', { 9: 1, 10: 2 }],
    [String.raw`{"a":"\\ud800"}`, { a: String.raw`\ud800` }],
    ['{"a":{"b":null,"c":true},"z":[{"x":1,"y":0}]}', { a: { b: null, c: true }, z: [{ y: -0, x: 1 }] }],
  ])('%s is written so, in order already or not', (text, value) => {
    expect(canonicalJson(value)).toBe(text);
    expect(canonicalJson(JSON.parse(text))).toBe(text);
  });

  test('half a pair has no canonical form in members that are in order either', () => {
    expect(() => canonicalJson({ a: '\ud800', b: 1 })).toThrow(TypeError);
    expect(() => canonicalJson({ a: 1, b: { '\udead': 1 } })).toThrow(TypeError);
  });

  test('nesting is bounded', () => {
    let deep: unknown = 1;
    for (let at = 0; at < 100; at += 1) deep = [deep];
    expect(() => canonicalJson(deep)).toThrow(TypeError);
  });
});

describe('DSSE', () => {
  test('the pre-authentication encoding is that of the specification', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  test('lengths count bytes, not characters', () => {
    expect(preAuthenticationEncoding('ä', Buffer.from('€')).toString()).toBe('DSSEv1 2 ä 3 €');
  });

  test('an envelope opens with its key and type only', () => {
    const key = generateSigningKey();
    const envelope = signEnvelope('a/b', Buffer.from('{}'), [{ keyid: 'k', key }]);
    expect(verifyEnvelope(envelope, 'a/b', key)?.toString()).toBe('{}');
    expect(verifyEnvelope(envelope, 'a/c', key)).toBeUndefined();
    expect(verifyEnvelope({ ...envelope, payloadType: 'a/c' }, 'a/c', key)).toBeUndefined();
    expect(verifyEnvelope({ ...envelope, payload: 'e30g' }, 'a/b', key)).toBeUndefined();
    expect(verifyEnvelope(envelope, 'a/b', generateSigningKey())).toBeUndefined();
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
