const line = /^boardwire_fed_intake_seconds_total\{step="([a-z_]+)"\} (\S+)$/gm;

/** How long a federation service's batches have been in each step since it started. */
export async function intakeSeconds(internalUrl: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  return Object.fromEntries([...text.matchAll(line)].map(([, step, value]) => [step!, Number(value)]));
}
