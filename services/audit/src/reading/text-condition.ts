import type { Parameters } from './parameters.ts';

/**
 * SQL that holds for texts that contain the wanted one, whatever the case. The databases that we make fold ASCII alone,
 * so other letters are looked for in all their cases.
 */
export function textCondition(expression: string, wanted: string, parameters: Parameters): string {
  if (/^[\u0020-\u007e]*$/.test(wanted)) {
    return `${expression} ILIKE ${parameters.add(`%${wanted.replace(/[\\%_]/g, '\\$&')}%`)}`;
  }
  return `${expression} ~ ${parameters.add(Array.from(wanted, casesOf).join(''))}`;
}

/** As it stands inside the JSON texts that are searched. */
export function insideJson(wanted: string): string {
  return JSON.stringify(wanted.toWellFormed()).slice(1, -1);
}

function casesOf(character: string): string {
  const cases = new Set([character, character.toLowerCase(), character.toUpperCase()]);
  const single = [...cases].filter((one) => Array.from(one).length === 1);
  if (single.length > 1) return `[${single.join('')}]`;
  return character < '\u0080' && /\W/.test(character) ? `\\${character}` : character;
}
