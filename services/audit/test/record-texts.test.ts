import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@boardwire/test-kit';
import { recordTexts } from '../src/reading/record-texts.ts';

type Flat = Record<string, string | number | boolean | null>;

const layouts = [['actor', 'at', 'kind', 'seq'], ['actor', 'kind', 'outcome', 'removed'], ['v'], []];
const oddities = ['"', '\\', ',', ':', '{', '}', '\n', '\u2028', '\u{1f600}', '","seq":9', '\\"', 'plain', ''];

describe('the texts in a record', () => {
  it('are those that JSON has of its members, whatever came before it', () => {
    const random = seededRandom();
    const text = () => Array.from({ length: 3 }, () => random.pick(oddities)).join('');
    const value = () => random.pick([text, () => 'plain', () => random.integer(0, 1e12), () => true, () => null])();
    for (let run = 0; run < 2_000; run += 1) {
      const names = random.pick(layouts);
      for (let left = random.pick([1, 2, 5]); left > 0; left -= 1) {
        const record: Flat = Object.fromEntries(names.map((name) => [name, value()]));
        const texts = Object.entries(record).map(([name, member]) => [name, JSON.stringify(member)]);
        expect(Object.entries(recordTexts(JSON.stringify(record)))).toEqual(texts);
      }
    }
  });
});
