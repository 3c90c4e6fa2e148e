import type { CheckReport, LoginStatus, TargetPlan } from "#delivery";
import { isLoginOff, isTargetGood } from "#delivery";

/**
 * A check in Prometheus' text format, for the textfile collector of node_exporter. `report` undefined: the check itself failed, and
 * nothing is known but that.
 */
export function renderPrometheus(report: CheckReport | undefined, now: Date): string {
  const metrics: Metric[] = [
    {
      name: "wharf_check_good",
      help: "1 where every target has what it should and every login is good.",
      samples: [{ value: report?.isGood === true ? 1 : 0 }],
    },
    {
      name: "wharf_check_last_run_timestamp_seconds",
      help: "When wharf check ran last.",
      samples: [{ value: now.getTime() / 1000 }],
    },
  ];
  if (report !== undefined) metrics.push(...metricsOf(report));
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(renderMetric)
    .join("");
}

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

function metricsOf(report: CheckReport): readonly Metric[] {
  const { logins } = report;
  const loginLabels = ({ login }: LoginStatus): Record<string, string> => ({
    login: login.name,
    registry: login.registry,
  });
  const limits = logins.flatMap((status) =>
    status.rateLimit === undefined ? [] : [{ labels: loginLabels(status), limit: status.rateLimit }],
  );
  return [
    {
      name: "wharf_target_good",
      help: "1 where a target has what it should, and its program would use it.",
      samples: targetSamples(report.plan.targets),
    },
    {
      name: "wharf_login_good",
      help: "1 where the registry takes the login.",
      samples: logins.map((status) => ({ labels: loginLabels(status), value: isLoginOff(status) ? 0 : 1 })),
    },
    {
      name: "wharf_target_login_good",
      help: "1 where the registry takes the login as it lies at the target, asked from there.",
      samples: report.fromTargets
        .filter(({ skipped }) => skipped === undefined)
        .map(({ consumer, place, user = "", namespace = "", login, error }) => ({
          labels: { consumer, place, user, namespace, login },
          value: error === undefined ? 1 : 0,
        })),
    },
    {
      name: "wharf_login_expires_timestamp_seconds",
      help: "When the secret of a login ends.",
      samples: logins.flatMap((status) =>
        status.expires === undefined
          ? []
          : [{ labels: loginLabels(status), value: status.expires.getTime() / 1000 }],
      ),
    },
    {
      name: "wharf_registry_pull_limit",
      help: "Pulls that the registry allows a login in its window.",
      samples: limits.map(({ labels, limit }) => ({ labels, value: limit.limit })),
    },
    {
      name: "wharf_registry_pulls_remaining",
      help: "Pulls that the registry still allows a login in its window.",
      samples: limits.map(({ labels, limit }) => ({ labels, value: limit.remaining })),
    },
    {
      name: "wharf_rotation_started_timestamp_seconds",
      help: "When a rotation began that did not come to its end.",
      samples: [...report.rotations].map(([login, startedAt]) => ({
        labels: { login },
        value: Date.parse(startedAt) / 1000,
      })),
    },
  ];
}

/** One for each place, program and user: two deliveries with other options are good together. */
function targetSamples(targets: readonly TargetPlan[]): readonly Sample[] {
  const samples = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const target of targets) {
    const labels = { consumer: target.consumer, place: target.place, user: target.user ?? "" };
    const key = JSON.stringify(labels);
    const value = Math.min(samples.get(key)?.value ?? 1, isTargetGood(target) ? 1 : 0);
    samples.set(key, { labels, value });
  }
  return [...samples.values()];
}

function renderMetric({ name, help, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join("\n")}\n`;
}

/** Prometheus, "Text-based format": backslash, quote and line feed. */
function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
