import { intersectFilters, matchesFilter } from '@boardwire/contracts';
import { seededRandom, type SeededRandom } from '@boardwire/test-kit';
import { describe, expect, test } from '@jest/globals';
import { SubjectTrie } from '../src/delivery/subject-trie.ts';

const tokens = ['a', 'b', 'c'];

function randomFilter(random: SeededRandom): string {
  const length = random.integer(1, 4);
  const parts = Array.from({ length }, () => random.pick([...tokens, '*']));
  if (random.integer(0, 3) === 0) parts[length - 1] = '>';
  return parts.join('.');
}

function randomSubject(random: SeededRandom): string {
  return Array.from({ length: random.integer(1, 5) }, () => random.pick(tokens)).join('.');
}

describe('the subject trie', () => {
  test('agrees with the plain matcher through random additions and removals', () => {
    const random = seededRandom();
    const trie = new SubjectTrie<string>();
    const filters = new Set<string>();
    for (let step = 0; step < 4_000; step += 1) {
      const filter = randomFilter(random);
      if (random.integer(0, 2) > 0) {
        trie.add(filter, filter);
        filters.add(filter);
      } else {
        trie.remove(filter, filter);
        filters.delete(filter);
      }
      const subject = randomSubject(random);
      const naive = [...filters].filter((candidate) => matchesFilter(candidate, subject));
      expect([...trie.match(subject)].toSorted()).toEqual(naive.toSorted());
      if (step % 8 > 0) continue;
      const wanted = [randomFilter(random), randomFilter(random)];
      const sharing = [...filters].filter((one) => wanted.some((other) => intersectFilters(one, other) !== undefined));
      expect(trie.overlapping(wanted).toSorted()).toEqual(sharing.toSorted());
    }
    for (const filter of filters) trie.remove(filter, filter);
    expect(trie.isEmpty).toBe(true);
  });

  test('answers a value once when several of its filters match', () => {
    const trie = new SubjectTrie<number>();
    for (const filter of ['>', 'a.*', 'a.b']) trie.add(filter, 7);
    expect(trie.match('a.b')).toEqual([7]);
  });
});
