import { describe, expect, test } from '@jest/globals';
import { classOf, eventClasses, isSubject, matchesFilter, type SubjectRule } from '@boardwire/contracts';
import { seededRandom } from '@boardwire/test-kit';
import { SubjectClasses } from '../src/delivery/subject-classes.ts';

const rule = (pattern: string, ruled: SubjectRule['class']): SubjectRule => ({ pattern, class: ruled, access: 'open' });

/** Every subject of up to three tokens. */
function subjectsOf(tokens: readonly string[]): string[] {
  const two = tokens.flatMap((first) => tokens.map((second) => `${first}.${second}`));
  const three = two.flatMap((both) => tokens.map((third) => `${both}.${third}`));
  return [...tokens, ...two, ...three].filter(isSubject);
}

describe('the classes of a board’s subjects', () => {
  test('follow the first rule that matches, and are log without one', () => {
    const classes = new SubjectClasses([rule('a.b', 'log'), rule('a.*', 'state'), rule('a.>', 'ephemeral')]);
    expect(['a.b', 'a.c', 'a.c.d', 'a', 'b'].map((subject) => classes.of(subject))).toEqual([
      'log',
      'state',
      'ephemeral',
      'log',
      'log',
    ]);
  });

  test.each<[string, boolean]>([
    ['a.c', false],
    ['a.*', true],
    ['a.b', true],
    ['a.*.c', false],
    ['a.>', true],
    ['b.x', false],
    ['b.>', false],
    ['b', true],
    ['>', true],
    ['*', true],
    ['c.>', false],
  ])('whether %s can match a log subject: %j', (filter, answer) => {
    const rules = [rule('a.b', 'log'), rule('a.>', 'state'), rule('b.>', 'ephemeral'), rule('b.x', 'log')];
    const classes = new SubjectClasses([...rules, rule('c.>', 'state'), rule('c.d', 'log')]);
    expect(classes.mayBeLog(filter)).toBe(answer);
  });

  test('never call a filter free of log that matches a log subject', () => {
    const random = seededRandom();
    const tokens = ['a', 'b', 'c'];
    const subjects = subjectsOf(tokens);
    const filterOf = () => {
      const parts = Array.from({ length: random.integer(1, 3) }, () => random.pick([...tokens, '*']));
      return random.integer(0, 2) === 0 ? [...parts.slice(0, -1), '>'].join('.') : parts.join('.');
    };
    let free = 0;
    for (let round = 0; round < 3_000; round += 1) {
      const rules = Array.from({ length: random.integer(0, 5) }, () =>
        rule(filterOf(), random.pick([...eventClasses])),
      );
      const filter = filterOf();
      const isLog = (subject: string) =>
        matchesFilter(filter, subject) && classOf(rules, subject, matchesFilter) === 'log';
      const answer = new SubjectClasses(rules).mayBeLog(filter);
      if (subjects.some(isLog)) expect({ rules, filter, answer }).toMatchObject({ answer: true });
      if (!answer) free += 1;
    }
    expect(free).toBeGreaterThan(300);
  });
});
