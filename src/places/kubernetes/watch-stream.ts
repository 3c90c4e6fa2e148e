import { AppError, type Context } from "#core";
import { toApiError } from "./api-error.ts";
import type { KubeObject, KubeStatus, WatchEvent } from "./objects.ts";

/** An object is at most some megabytes (etcd's limit is 1.5), and base64 and managed fields come on top. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * The events of a watch: one JSON text a line. Ends where the server ends it; what was cut off in the middle of a line is no event.
 * Throws what the server says in an ERROR event, KUBERNETES_FAILED for a line that is none.
 */
export async function* readWatch<T extends KubeObject>(
  context: Context,
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_LINE_CHARACTERS)
        throw new AppError("TOO_LARGE", `a line of a watch is longer than ${MAX_LINE_CHARACTERS} characters`);
      for (const line of lines) if (line.trim() !== "") yield parseEvent<T>(line);
    }
  } catch (cause) {
    if (context.signal.aborted) throw new AppError("INTERRUPTED", "stopped", { cause });
    throw cause;
  } finally {
    // Whoever stops reading lets the connection go.
    await reader.cancel().catch(() => undefined);
  }
}

function parseEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: { readonly type?: unknown; readonly object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    throw new AppError("KUBERNETES_FAILED", "a line of a watch is not JSON");
  }
  const { type, object } = event;
  if (type === "ERROR") {
    const status = (object ?? {}) as KubeStatus & { readonly code?: number };
    throw toApiError(status.code ?? 500, status, "watching");
  }
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED" && type !== "BOOKMARK")
    throw new AppError("KUBERNETES_FAILED", "a line of a watch is no event");
  return { type, object: object as T };
}
