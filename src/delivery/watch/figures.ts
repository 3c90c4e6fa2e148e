/** What a watch did so far, for metrics and health. Written by the watch alone. */
export interface WatchFigures {
  isLeading: boolean;
  /** Looks at one or more namespaces. */
  looks: number;
  /** Objects written or removed. */
  written: number;
  errors: number;
  /** The last look failed. */
  failing: boolean;
  /** Namespaces that wait; Infinity: all. */
  waiting: number;
  /** Milliseconds since 1970; undefined: none yet. */
  lastGoodAt: number | undefined;
  /** Events written about logins that end. */
  announced: number;
  expiries: readonly { readonly login: string; readonly at: Date }[];
}

export function createWatchFigures(): WatchFigures {
  return {
    isLeading: false,
    looks: 0,
    written: 0,
    errors: 0,
    failing: false,
    waiting: 0,
    lastGoodAt: undefined,
    announced: 0,
    expiries: [],
  };
}

/** In Prometheus' text format, version 0.0.4. */
export function renderWatchFigures(figures: WatchFigures): string {
  const lines: string[] = [];
  const add = (name: string, kind: "counter" | "gauge", help: string, values: readonly string[]): void => {
    lines.push(
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${kind}`,
      ...values.map((value) => `${name}${value}`),
    );
  };
  const flag = (value: boolean): string => (value ? "1" : "0");
  add("wharf_watch_leading", "gauge", "1 while this process holds the Lease.", [
    ` ${flag(figures.isLeading)}`,
  ]);
  add("wharf_watch_looks_total", "counter", "Looks at one or more namespaces.", [` ${figures.looks}`]);
  add("wharf_watch_written_total", "counter", "Objects written or removed.", [` ${figures.written}`]);
  add("wharf_watch_errors_total", "counter", "Looks that failed.", [` ${figures.errors}`]);
  add("wharf_watch_failing", "gauge", "1 when the last look failed.", [` ${flag(figures.failing)}`]);
  add("wharf_watch_events_total", "counter", "Events written about logins that end.", [
    ` ${figures.announced}`,
  ]);
  if (figures.lastGoodAt !== undefined)
    add("wharf_watch_last_success_timestamp_seconds", "gauge", "When all was last as it should be.", [
      ` ${Math.round(figures.lastGoodAt / 1000)}`,
    ]);
  if (figures.expiries.length > 0)
    add(
      "wharf_login_expires_timestamp_seconds",
      "gauge",
      "When a login expires.",
      figures.expiries.map(({ login, at }) => `{login="${login}"} ${Math.round(at.getTime() / 1000)}`),
    );
  return `${lines.join("\n")}\n`;
}
