/**
 * Asks again until the answer is not undefined, and gives it. Throws after `timeoutMs`, with `what` in the message.
 * For other processes, which tell nobody when they are ready; within ours, await the event.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await Bun.sleep(25);
  }
}
