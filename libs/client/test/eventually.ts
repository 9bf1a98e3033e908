/** Looks again and again until it holds; fails with the last reason after the deadline. */
export async function eventually<T>(look: () => T | Promise<T>, { withinMs = 5_000, everyMs = 10 } = {}): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      const found = await look();
      if (found !== false) return found;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline) throw new Error(`did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
