import { describe, expect, test } from '@jest/globals';
import { isFilter, nameSchema, plainEventSchema } from '@boardwire/contracts';
import { parseDemoArguments } from './arguments.ts';
import { people } from './people.ts';
import { percentiles } from './percentiles.ts';
import { scriptMs, writeScript } from './script.ts';
import { isClean, judge } from './verdict.ts';

describe('the script', () => {
  const script = writeScript({ seed: 7, events: 5_000, run: 'r' });

  test('tells the same story for the same seed, and another for another', () => {
    expect(writeScript({ seed: 7, events: 5_000, run: 'r' })).toEqual(script);
    const story = (seed: number) => writeScript({ seed, events: 100, run: 'r' }).map(({ event }) => event.data);
    expect(story(8)).not.toEqual(story(7));
  });

  test('holds only events that a site takes, within two hours, each with an id of its own', () => {
    for (const { event } of script) expect(plainEventSchema.parse(event)).toEqual(event);
    expect(new Set(script.map(({ event }) => event.id)).size).toBe(5_000);
    const times = script.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect(times[0]).toBeGreaterThanOrEqual(0);
    expect(times.at(-1)).toBeLessThanOrEqual(scriptMs);
  });

  test('has forty people, scores, alerts and decisions, in scripts of every direction', () => {
    expect(people).toHaveLength(40);
    for (const { name } of people) expect(nameSchema.parse(name)).toBe(name);
    expect(new Set(people.map(({ name }) => name)).size).toBe(40);
    expect(new Set(script.map(({ publisher }) => publisher)).size).toBe(41);
    const types = new Set(script.map(({ event }) => event.type));
    expect([...types].toSorted()).toEqual(['chat.message.posted', 'game.score', 'system.alert', 'trading.decision']);
    const text = script.map(({ event }) => JSON.stringify(event.data)).join('');
    const scripts = [
      'Arabic',
      'Hebrew',
      'Han',
      'Hangul',
      'Hiragana',
      'Devanagari',
      'Thai',
      'Ethiopic',
      'Cyrillic',
      'Greek',
    ];
    for (const name of scripts) expect(text).toMatch(new RegExp(`\\p{Script=${name}}`, 'u'));
    expect(text).toMatch(/\p{Extended_Pictographic}\u200d/u);
    expect(text).toMatch(/[a-z]\p{Mn}/u);
    expect(text.isWellFormed()).toBe(true);
    expect(script.every(({ event }) => isFilter(event.subject))).toBe(true);
  });

  test('leaves every person below a person’s rate', () => {
    const counts = new Map<unknown, number>();
    for (const { publisher } of script) counts.set(publisher, (counts.get(publisher) ?? 0) + 1);
    counts.delete('programs');
    // 20,000 events in 50 s.
    const perSecond = (Math.max(...counts.values()) * 4) / 50;
    expect(perSecond).toBeLessThan(50);
  });
});

describe('a verdict', () => {
  const accepted = new Map([1, 2, 3, 5].map((seq) => [`e${seq}`, { seq }]));
  const seen = (...seqs: number[]) => seqs.map((seq) => ({ seq, id: `e${seq}` }));

  test('is clean when everything is there in order, whatever others wrote between', () => {
    const verdict = judge('x', accepted, seen(1, 2, 3, 4, 5, 6));
    expect(verdict).toEqual({ who: 'x', seen: 4, missing: 0, twice: 0, misplaced: 0 });
    expect(isClean(verdict)).toBe(true);
  });

  test.each([
    ['a missing event', seen(1, 2, 5), { seen: 3, missing: 1 }],
    ['nothing at all', [], { seen: 0, missing: 4 }],
    ['one twice', seen(1, 2, 2, 3, 5), { seen: 4, twice: 1 }],
    ['two exchanged', seen(1, 3, 2, 5), { seen: 3, misplaced: 1 }],
    ['one of others late', [...seen(1, 2, 3, 5), { seq: 4, id: 'other' }], { seen: 4, misplaced: 1 }],
    ['another seq', [...seen(1, 2, 3), { seq: 6, id: 'e5' }], { seen: 3, misplaced: 1 }],
  ])('finds %s', (_what, sightings, expected) => {
    const verdict = judge('x', accepted, sightings);
    expect(verdict).toMatchObject({ missing: 0, twice: 0, misplaced: 0, ...expected });
    expect(isClean(verdict)).toBe(false);
  });
});

describe('arguments', () => {
  test('have defaults and are read in both spellings', () => {
    expect(parseDemoArguments([])).toEqual({ seed: 1, events: 20_000, seconds: 50, url: undefined, isHelp: false });
    expect(parseDemoArguments(['--seed', '7', '--events=10', '--url=http://a:1/'])).toMatchObject({
      seed: 7,
      events: 10,
      url: 'http://a:1',
    });
  });
  test.each([[['--events', '0']], [['--events']], [['--seconds=x']], [['--url', 'site']], [['--fast']]])(
    'refuse %j with what is allowed',
    (args) => expect(() => parseDemoArguments(args)).toThrow(/takes|Unknown/),
  );
});

test('percentiles are of nearest rank', () => {
  const values = Array.from({ length: 1_000 }, (_, at) => 1_000 - at);
  expect(percentiles(values)).toEqual({ count: 1_000, p50: 500, p95: 950, p99: 990, max: 1_000 });
  expect(percentiles([])).toMatchObject({ count: 0, p50: 0, max: 0 });
});
