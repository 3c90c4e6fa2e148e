/** Which part of the server answered. */
export const areas = ["registry", "api", "site"] as const;
export type Area = (typeof areas)[number];

/** Facts of the moment, asked for when the metrics are read. */
export interface Gauges {
  readonly openRequests: number;
  readonly connections: number | undefined;
  readonly freeBytes: number | undefined;
  readonly startedAtSeconds: number;
  /** Work in the background, of all processes of the data folder. */
  readonly jobs: readonly { readonly kind: string; readonly state: string; readonly jobs: number }[];
  readonly version: string;
}

/** Counters of this process. Counting costs an addition; all else happens when somebody reads. */
export interface Metrics {
  count(area: number, status: number): void;
  countStalled(connections: number): void;
  /** Prometheus text format 0.0.4. */
  render(gauges: Gauges): string;
}

export function createMetrics(): Metrics {
  // [area][status class 1xx … 5xx]
  const answers = new Float64Array(areas.length * 6);
  let stalled = 0;
  return {
    count(area, status) {
      const at = area * 6 + ((status / 100) | 0);
      answers[at] = (answers[at] ?? 0) + 1;
    },
    countStalled(connections) {
      stalled += connections;
    },
    render(gauges) {
      const lines: string[] = [];
      const add = (
        name: string,
        kind: "counter" | "gauge",
        help: string,
        samples: readonly [string, number][],
      ): void => {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
        for (const [labels, value] of samples) lines.push(`${name}${labels} ${value}`);
      };
      const byClass: [string, number][] = [];
      for (const [area, name] of areas.entries())
        for (let status = 1; status <= 5; status++)
          byClass.push([`{area="${name}",status="${status}xx"}`, answers[area * 6 + status] ?? 0]);
      add("wharf_http_requests_total", "counter", "Answers given, by area and status class.", byClass);
      add("wharf_stalled_connections_total", "counter", "Connections cut because nothing moved on them.", [
        ["", stalled],
      ]);
      add("wharf_http_requests_open", "gauge", "Requests being answered.", [["", gauges.openRequests]]);
      if (gauges.connections !== undefined)
        add("wharf_connections", "gauge", "TCP connections.", [["", gauges.connections]]);
      if (gauges.freeBytes !== undefined)
        add("wharf_data_free_bytes", "gauge", "Room left on the disk of the data folder.", [
          ["", gauges.freeBytes],
        ]);
      add(
        "wharf_jobs",
        "gauge",
        "Jobs that are not done, of all servers of the data folder.",
        gauges.jobs.map(({ kind, state, jobs }) => [`{kind="${kind}",state="${state}"}`, jobs]),
      );
      const { user, system } = process.cpuUsage();
      add("process_cpu_seconds_total", "counter", "CPU time used.", [["", (user + system) / 1e6]]);
      add("process_resident_memory_bytes", "gauge", "Resident memory.", [["", process.memoryUsage.rss()]]);
      add("process_start_time_seconds", "gauge", "When this process started, seconds since 1970.", [
        ["", gauges.startedAtSeconds],
      ]);
      add("wharf_build_info", "gauge", "Always 1; says the version.", [[`{version="${gauges.version}"}`, 1]]);
      return `${lines.join("\n")}\n`;
    },
  };
}
