/** The consumer option for its subjects; several of them need a 2.10 server. */
export function subjectFilter(
  subjects: string[],
  serverVersion: [number, number] | undefined,
): { filter_subject: string } | { filter_subjects: string[] } {
  const [only] = subjects;
  if (only === undefined) throw new Error('a consumer needs a subject');
  if (subjects.length === 1) return { filter_subject: only };
  const [major, minor] = serverVersion ?? [0, 0];
  if (major < 2 || (major === 2 && minor < 10))
    throw new Error('several subjects in one consumer need nats-server 2.10');
  return { filter_subjects: subjects };
}
