/** A calendar day, `YYYY-MM-DD`; a month, `YYYY-MM`. Plain text: days of a log have zones of their own. */
export type Day = string;

const dayMs = 86_400_000;
const msOf = (day: Day) => Date.parse(`${day}T00:00:00Z`);
const dayOf = (ms: number): Day => new Date(ms).toISOString().slice(0, 10);

export const shiftDay = (day: Day, days: number): Day => dayOf(msOf(day) + days * dayMs);
export const monthOf = (day: Day) => day.slice(0, 7);

export function shiftMonth(month: string, months: number): string {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return new Date(Date.UTC(year, number - 1 + months, 1)).toISOString().slice(0, 7);
}

/** The same day of another month, or that month's last. */
export function shiftDayByMonths(day: Day, months: number): Day {
  const month = shiftMonth(monthOf(day), months);
  const last = shiftDay(`${shiftMonth(month, 1)}-01`, -1);
  const wanted = `${month}-${day.slice(8)}`;
  return wanted > last ? last : wanted;
}

/** Weeks from Monday to Sunday that hold a month, its neighbours' days included. */
export function weeksOf(month: string): Day[][] {
  const first = `${month}-01`;
  const start = shiftDay(first, -((new Date(msOf(first)).getUTCDay() + 6) % 7));
  const end = shiftDay(`${shiftMonth(month, 1)}-01`, -1);
  const weeks: Day[][] = [];
  for (let monday = start; monday <= end; monday = shiftDay(monday, 7)) {
    weeks.push(Array.from({ length: 7 }, (_, at) => shiftDay(monday, at)));
  }
  return weeks;
}

const utc = { timeZone: 'UTC' } as const;
const long = new Intl.DateTimeFormat(undefined, {
  ...utc,
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
const short = new Intl.DateTimeFormat(undefined, {
  ...utc,
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
const monthAndYear = new Intl.DateTimeFormat(undefined, { ...utc, month: 'long', year: 'numeric' });
const weekday = new Intl.DateTimeFormat(undefined, { ...utc, weekday: 'short' });

/** A day's whole name, and what stands before and after its number in it. */
export function dayWords(day: Day): { before: string; number: string; after: string } {
  const parts = long.formatToParts(msOf(day));
  const at = parts.findIndex(({ type }) => type === 'day');
  const textOf = (some: typeof parts) => some.map(({ value }) => value).join('');
  return { before: textOf(parts.slice(0, at)), number: parts[at]?.value ?? '', after: textOf(parts.slice(at + 1)) };
}

export const shortDayName = (day: Day) => short.format(msOf(day));
export const monthName = (month: string) => monthAndYear.format(msOf(`${month}-01`));
/** Monday to Sunday. */
export const weekdayNames = Array.from({ length: 7 }, (_, at) => weekday.format(Date.UTC(2024, 0, 1 + at)));
