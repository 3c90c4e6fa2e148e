/** Reads the answer to its end. Throws unless its status is one of these. */
export async function mustBe(answer: Response, ...statuses: readonly number[]): Promise<void> {
  const text = await answer.text();
  if (statuses.includes(answer.status)) return;
  throw new Error(`${new URL(answer.url).pathname}: ${answer.status} ${text.slice(0, 200)}`);
}
