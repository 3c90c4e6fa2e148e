import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { systemErrorCode } from "./storage-error.ts";

/** One process among those of all machines, containers and times. */
export interface ProcessIdentity {
  /** Machine, its boot, and the process numbers' namespace: only among equals of it does a number mean something. */
  readonly machine: string;
  readonly pid: number;
  /** When it started, as the kernel counts it; "" where that is not to be had. Numbers are given out again. */
  readonly started: string;
}

/** This process. */
export async function readProcessIdentity(): Promise<ProcessIdentity> {
  return {
    machine: await machineMark(),
    pid: process.pid,
    started: (await startOf(process.pid)) ?? "",
  };
}

/** Has that process ended; undefined where it cannot be known from here: another machine, another container. */
export async function isProcessGone(identity: ProcessIdentity): Promise<boolean | undefined> {
  if (identity.machine !== (await machineMark())) return undefined;
  try {
    process.kill(identity.pid, 0);
  } catch (cause) {
    return systemErrorCode(cause) === "ESRCH";
  }
  const started = await startOf(identity.pid);
  return started !== undefined && identity.started !== "" && started !== identity.started;
}

async function machineMark(): Promise<string> {
  const [boot, namespace] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
    readlink("/proc/self/ns/pid").catch(() => ""),
  ]);
  return boot === "" ? hostname() : `${boot.trim()} ${namespace}`;
}

/** Field 22 of /proc/PID/stat (proc(5)); the program's name before it may hold spaces and brackets. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
