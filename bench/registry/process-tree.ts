import { readdirSync, readFileSync } from "node:fs";

/** What a process and all its descendants have used. */
export interface Usage {
  readonly cpuSeconds: number;
  /** Resident memory now, and the sum of each process's highest; megabytes of 10^6 bytes. */
  readonly residentMb: number;
  readonly peakMb: number;
}

// USER_HZ is 100 on every Linux that Bun runs on.
const ticksPerSecond = 100;

/** Reads /proc; a process that ends meanwhile counts as nothing. */
export function readUsage(pid: number): Usage {
  let ticks = 0;
  let resident = 0;
  let peak = 0;
  for (const member of processTree(pid)) {
    const stat = fieldsOf(member);
    if (stat === undefined) continue;
    // Fields 14 to 17 of proc(5): own user and system time, and that of children that ended. `stat` begins at field 3.
    ticks += [11, 12, 13, 14].reduce((sum, at) => sum + Number(stat[at] ?? 0), 0);
    const status = readText(`/proc/${member}/status`);
    resident += kilobytes(status, "VmRSS");
    peak += kilobytes(status, "VmHWM");
  }
  return {
    cpuSeconds: ticks / ticksPerSecond,
    residentMb: (resident * 1024) / 1e6,
    peakMb: (peak * 1024) / 1e6,
  };
}

function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(fieldsOf(Number(name))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (let at = 0; at < tree.length; at += 1) tree.push(...(children.get(tree[at] ?? 0) ?? []));
  return tree;
}

/** The fields of /proc/PID/stat after the command's name, which may hold spaces. */
function fieldsOf(pid: number): string[] | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text === "" ? undefined : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended between the listing and the look: nothing is there to count.
    return "";
  }
}
