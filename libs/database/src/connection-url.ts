/** A Postgres URL whose sessions look into one schema first, whatever the role's own default is. */
export function withSearchPath(url: string, schema: string): string {
  const result = new URL(url);
  const others = (result.searchParams.get('options') ?? '').replaceAll(/-c\s*search_path=\S+/g, '').trim();
  result.searchParams.set('options', `${others} -c search_path=${schema}`.trim());
  // URLSearchParams writes a blank as `+`, which Postgres clients other than ours read as a plus sign.
  result.search = result.search.replaceAll('+', '%20');
  return result.toString();
}

/** The same server and database, as another role. */
export function withRole(url: string, role: string, password: string): string {
  const result = new URL(url);
  result.username = encodeURIComponent(role);
  result.password = encodeURIComponent(password);
  return result.toString();
}
