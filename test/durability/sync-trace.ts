/** One finished system call of a trace by `strace -f -y -o`, in order of its end. */
export interface TracedCall {
  readonly name: string;
  /** Arguments and result, as strace wrote them. */
  readonly text: string;
}

/**
 * Reads a trace. A call that another thread interrupted is written in two parts; it counts where it ended,
 * for only then is what it promises true.
 */
export function parseTrace(trace: string): TracedCall[] {
  const begun = new Map<string, string>();
  const calls: TracedCall[] = [];
  for (const line of trace.split("\n")) {
    const match = /^(?:\[pid\s+)?(\d+)\]?\s+(.*)$/.exec(line);
    if (match === null) continue;
    const [, thread = "", rest = ""] = match;
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    if (unfinished !== null) {
      begun.set(thread, unfinished[1] ?? "");
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed === null ? rest : `${begun.get(thread) ?? ""}${resumed[1] ?? ""}`;
    const call = /^(\w+)\((.*)$/.exec(whole);
    if (call !== null) calls.push({ name: call[1] ?? "", text: call[2] ?? "" });
  }
  return calls;
}
