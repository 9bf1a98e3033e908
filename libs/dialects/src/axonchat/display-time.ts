const universal = 'UTC';

/** The zone in its usual spelling; an unknown one is UTC. The answers are the zones that the platform knows: bounded. */
export function knownTimeZone(zone: string | undefined): string {
  // Newer platforms take offsets such as +05:45 for zones; clients of this wire send names.
  if (zone === undefined || !/^[A-Za-z]/.test(zone)) return universal;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return universal;
  }
}

/** Tells times as `h:MM:SS AM` or `PM` in a zone. Made once a list: making one costs as much as twenty uses. */
export function displayTimes(zone: string): (at: Date) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    hour12: true,
  });
  // Some releases of the locale data put a narrow no-break space before AM and PM.
  return (at) => format.format(at).replaceAll(/[\u00a0\u202f]/g, ' ');
}
