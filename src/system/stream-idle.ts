/** The same bytes; fails with a TimeoutError when nothing comes for `idleTimeoutMs` while somebody waits. Every error goes through `fail`. */
export function withIdleTimeout(
  source: ReadableStream<Uint8Array>,
  idleTimeoutMs: number,
  fail: (cause: unknown) => Error,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const silence = new Promise<never>((_, reject) => {
          timer = setTimeout(
            () => reject(new DOMException("nothing came in time", "TimeoutError")),
            idleTimeoutMs,
          );
        });
        try {
          const { done, value } = await Promise.race([reader.read(), silence]);
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          controller.error(fail(cause));
          // The connection is dropped; what it says to that is of no use to anybody.
          reader.cancel().catch(() => undefined);
        } finally {
          clearTimeout(timer);
        }
      },
      cancel(reason) {
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
