import classes from './initials-avatar.module.css';

const hues = 8;

/** A round sign for a person: first letter, and a colour that is always the same for the same id. */
export function InitialsAvatar({ id, name, size = 36 }: { id: string; name: string; size?: number }) {
  return (
    <span
      className={classes.avatar}
      data-hue={hueOf(id)}
      style={{ width: size, height: size, fontSize: size * 0.42 }}
      aria-hidden="true"
    >
      {firstLetter(name)}
    </span>
  );
}

function firstLetter(name: string): string {
  // By grapheme: the first "letter" of a name may be several code points.
  for (const { segment } of new Intl.Segmenter().segment(name)) return segment.toLocaleUpperCase();
  return '?';
}

function hueOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.codePointAt(0)!) >>> 0;
  return sum % hues;
}
