/** A real Slurm on loopback: munged, slurmctld and a slurmd or several, with ports, folders and a key of their own. Needs root. */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { programPath } from "./programs.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { until } from "./until.ts";

export interface Slurm {
  readonly scratch: Scratch;
  /** For Slurm's commands: where this cluster's configuration is. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs one of Slurm's commands; throws with what it said where it fails. */
  readonly run: (
    argv: readonly [string, ...string[]],
    more?: Readonly<Record<string, string>>,
  ) => Promise<string>;
  stop(): Promise<void>;
}

/**
 * The cluster has a partition `batch` with `nodes`; the first of them is up, or as many as `up` says. `listen` puts itself before the first one's
 * slurmd: it is given slurmd's port, and gives the one that the others are told. `lines` go into slurm.conf.
 */
export async function startSlurm(
  nodes: readonly [string, ...string[]],
  listen: (port: number) => number = (port) => port,
  { up = 1, lines = [] }: { readonly up?: number; readonly lines?: readonly string[] } = {},
): Promise<Slurm> {
  const scratch = createScratch("slurm");
  const [controller, daemon] = [freePort(), freePort()];
  const told = listen(daemon);
  for (const folder of ["munge", "state", "spool", "log"]) mkdirSync(scratch.at(folder), { mode: 0o755 });
  writeFileSync(scratch.at("munge", "key"), crypto.getRandomValues(new Uint8Array(128)), { mode: 0o400 });
  const socket = scratch.at("munge", "socket");
  const host = hostname().split(".")[0] ?? "localhost";
  writeFileSync(
    scratch.at("slurm.conf"),
    [
      "ClusterName=wharf",
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${controller}`,
      `SlurmdPort=${daemon}`,
      "SlurmUser=root",
      "AuthType=auth/munge",
      `AuthInfo=socket=${socket}`,
      `StateSaveLocation=${scratch.at("state")}`,
      `SlurmdSpoolDir=${scratch.at("spool", "%n")}`,
      `SlurmctldPidFile=${scratch.at("ctld.pid")}`,
      `SlurmdPidFile=${scratch.at("%n.pid")}`,
      `SlurmctldLogFile=${scratch.at("log", "ctld")}`,
      `SlurmdLogFile=${scratch.at("log", "slurmd-%n")}`,
      "ProctrackType=proctrack/linuxproc",
      "TaskPlugin=task/none",
      "SelectType=select/linear",
      "SlurmdParameters=config_overrides",
      "MpiDefault=none",
      "ReturnToService=2",
      "SchedulerParameters=batch_sched_delay=0,sched_interval=1",
      ...nodes.map(
        (name, index) =>
          `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${index === 0 ? told : freePort()} CPUs=1 State=UNKNOWN`,
      ),
      ...lines,
      `PartitionName=batch Nodes=${nodes.join(",")} Default=YES MaxTime=10 State=UP`,
      "",
    ].join("\n"),
  );
  writeFileSync(
    scratch.at("slurmd.conf"),
    readFileSync(scratch.at("slurm.conf"), "utf8").replace(`Port=${told} CPUs`, `Port=${daemon} CPUs`),
  );
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    SLURM_CONF: scratch.at("slurm.conf"),
    LC_ALL: "C.UTF-8",
  };
  const children: Bun.Subprocess[] = [];
  const start = (name: string, ...args: readonly string[]): void => {
    const log = openSync(scratch.at("log", `${name}.out`), "a");
    children.push(
      Bun.spawn([programPath(name), ...args], { env, stdin: "ignore", stdout: log, stderr: log }),
    );
    closeSync(log);
  };
  const run: Slurm["run"] = async ([name, ...args], more = {}) => {
    const child = Bun.spawn([programPath(name), ...args], {
      cwd: scratch.path,
      env: { ...env, ...more },
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    if ((await child.exited) !== 0) throw new Error(`${name}: ${err}`);
    return out;
  };
  const stop = async (): Promise<void> => {
    for (const child of children.reverse()) {
      child.kill();
      await child.exited;
    }
    scratch.remove();
  };
  try {
    start(
      "munged",
      "--foreground",
      "--force",
      `--socket=${socket}`,
      ...["key", "pid", "seed", "log"].map((kind) => `--${kind}-file=${scratch.at("munge", kind)}`),
    );
    await until("munged listens", () => (isSocket(socket) ? true : undefined), 60_000);
    start("slurmctld", "-D", "-f", scratch.at("slurm.conf"));
    for (const name of nodes.slice(0, up)) start("slurmd", "-D", "-N", name, "-f", scratch.at("slurmd.conf"));
    // Until the controller is up, sinfo fails; what it says is in the log that a failure prints.
    const isIdle = async (): Promise<true | undefined> =>
      await run(["sinfo", "--noheader", "--Node", "--format=%N %t"]).then(
        (text) => (nodes.slice(0, up).every((name) => text.includes(`${name} idle`)) ? true : undefined),
        () => undefined,
      );
    await until("the nodes are idle", isIdle, 60_000);
  } catch (cause) {
    const said = ["munged.out", "slurmctld.out", "slurmd.out"].map((name) =>
      readLog(scratch.at("log", name)),
    );
    await stop();
    throw new Error(`Slurm does not start: ${said.join("\n").slice(-4000)}`, { cause });
  }
  return { scratch, env, run, stop };
}

function isSocket(path: string): boolean {
  return Bun.spawnSync(["test", "-S", path]).exitCode === 0;
}

function readLog(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
