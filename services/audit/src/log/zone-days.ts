const minuteMs = 60_000;
const remembered = 4_096;

/**
 * Calendar days by time zone. Formatting a date costs microseconds; the day of each minute is therefore kept, since no
 * zone has changed its day within a minute after 1972.
 */
export class ZoneDays {
  readonly #formatters = new Map<string, Intl.DateTimeFormat>();
  readonly #days = new Map<string, Map<number, string>>();

  /** `YYYY-MM-DD` of an instant (milliseconds since the Unix epoch) in an IANA time zone. */
  dayOf(ms: number, zone: string): string {
    const minute = Math.floor(ms / minuteMs);
    const days = this.#daysOf(zone);
    const known = days.get(minute);
    if (known !== undefined) return known;
    const day = this.#formatterOf(zone).format(ms);
    if (days.size >= remembered) days.clear();
    days.set(minute, day);
    return day;
  }

  #daysOf(zone: string): Map<number, string> {
    let days = this.#days.get(zone);
    if (days === undefined) this.#days.set(zone, (days = new Map()));
    return days;
  }

  #formatterOf(zone: string): Intl.DateTimeFormat {
    let formatter = this.#formatters.get(zone);
    if (formatter === undefined) {
      // Sweden writes its dates as ISO 8601 does.
      formatter = new Intl.DateTimeFormat('sv-SE', {
        timeZone: zone,
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
      });
      this.#formatters.set(zone, formatter);
    }
    return formatter;
  }
}
