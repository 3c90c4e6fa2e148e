/** `wharf watch` under many events: its memory. Ten thousand with SLOW=1, when WHARF_REPORT names a file for what was seen. */
import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { until } from "./support/until.ts";
import { useKubeCluster } from "./support/use-kube-cluster.ts";
import { wharfFromSource } from "./support/wharf-process.ts";

const isSlow = process.env["SLOW"] === "1";
const EVENTS = isSlow ? 10_000 : 400;
const THERE = isSlow ? 500 : 20;
const STEP = isSlow ? 1_000 : 100;
const AT_ONCE = 16;
let child: Bun.Subprocess | undefined;

const kube = useKubeCluster("watch-memory", {
  async stop() {
    child?.kill("SIGKILL");
    await child?.exited;
  },
});
const { withCluster } = kube;

/** Anonymous memory of the process, in megabytes of 10^6. */
function anonymousMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return (Number(/^Pss_Anon:\s+(\d+) kB/m.exec(text)?.[1]) * 1024) / 1e6;
}

async function together(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

withCluster(
  `${EVENTS} changes of namespaces, and memory is where it was`,
  async () => {
    const folder = kube.scratch.path;
    writeFileSync(`${folder}/secret`, crypto.randomUUID(), { mode: 0o600 });
    writeFileSync(
      `${folder}/wharf.yaml`,
      'version: 1\nlogins:\n  a: { registry: a.example, username: robot, password: { file: secret } }\ndeliver:\n  - { to: kubernetes, at: "k8s://test", namespaces: { selector: team=ml }, name: many }\n',
      { mode: 0o600 },
    );
    await together(THERE, async (index) => {
      const made = await kube.cluster.request("POST", "/api/v1/namespaces", {
        metadata: { name: `n${index}`, labels: { team: "ml" } },
      });
      expect(made.status).toBe(201);
    });
    child = Bun.spawn([...wharfFromSource, "watch"], {
      cwd: folder,
      env: {
        HOME: folder,
        PATH: process.env["PATH"] ?? "",
        KUBECONFIG: kube.cluster.adminConfig,
        XDG_RUNTIME_DIR: folder,
      },
      stdio: ["ignore", "ignore", Bun.file(`${folder}/watch.log`)],
    });
    const { pid } = child;
    await until(
      "all are served",
      async () => {
        const answer = await kube.cluster.request(
          "GET",
          "/api/v1/secrets?fieldSelector=metadata.name%3Dmany",
        );
        const { items } = (await answer.json()) as { items: unknown[] };
        return items.length === THERE || undefined;
      },
      120_000,
    );
    const seen: (readonly [number, number])[] = [];
    for (let done = 0; done <= EVENTS; done += STEP) {
      if (isSlow) await Bun.sleep(2_000);
      seen.push([done, anonymousMb(pid)]);
      if (done === EVENTS) break;
      await together(STEP, async (index) => {
        const changed = await kube.cluster.request(
          "PATCH",
          `/api/v1/namespaces/n${index % THERE}`,
          { metadata: { annotations: { seen: crypto.randomUUID() } } },
          "application/merge-patch+json",
        );
        expect(changed.status).toBe(200);
      });
    }
    const report = seen
      .map(([events, mb]) => `| ${events.toLocaleString("en")} | ${mb.toFixed(1)} |\n`)
      .join("");
    if (isSlow) process.stdout.write(report);
    if (process.env["WHARF_REPORT"] !== undefined) writeFileSync(process.env["WHARF_REPORT"], report);
    expect(child.exitCode).toBeNull();
    // From the time that it is warm.
    const [warm, end] = [seen[2]?.[1] ?? 0, Math.min(...seen.slice(-3).map(([, mb]) => mb))];
    expect(end - warm).toBeLessThan(isSlow ? 15 : 40);
  },
  900_000,
);
