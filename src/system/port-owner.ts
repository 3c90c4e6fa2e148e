import { readdir, readFile, readlink } from "node:fs/promises";

/** Who listens on a port of this machine, as far as this user may see. */
export interface PortOwner {
  readonly pid?: number;
  /** The program's name, as the kernel knows it. */
  readonly program?: string;
  readonly uid: number;
}

const LISTEN = "0A";

/** Who listens on a TCP port; undefined where that cannot be known (no such listener, or no /proc). Never throws. */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const row of (await readOrEmpty(table)).split("\n").slice(1)) {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode (proc(5))
      const columns = row.trim().split(/\s+/);
      const localPort = Number.parseInt(columns[1]?.split(":")[1] ?? "", 16);
      if (localPort !== port || columns[3] !== LISTEN) continue;
      const uid = Number(columns[7]);
      const pid = await findSocketHolder(`socket:[${columns[9]}]`);
      if (pid === undefined) return { uid };
      return { uid, pid, program: (await readOrEmpty(`/proc/${pid}/comm`)).trim() };
    }
  }
  return undefined;
}

async function findSocketHolder(link: string): Promise<number | undefined> {
  for (const name of await namesOrNone("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    for (const fd of await namesOrNone(`/proc/${name}/fd`)) {
      if ((await readlink(`/proc/${name}/fd/${fd}`).catch(() => "")) === link) return Number(name);
    }
  }
  return undefined;
}

// Processes end while we look, and others' are not ours to read: both mean "not known".
const readOrEmpty = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
const namesOrNone = (path: string): Promise<string[]> => readdir(path).catch(() => []);
