import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DeliveryBench } from "./delivery-row.ts";
import type { Fleet } from "./fleet.ts";
import { timeRun } from "./time-runs.ts";

const AT_ONCE = 16;

/** What OpenSSH alone takes for all hosts, milliseconds: nobody who goes by it can be faster. */
export interface SshFloor {
  /** `ssh HOST true` on a new connection that is kept. */
  readonly connectMs: number;
  /** The same over the kept ones. */
  readonly keptMs: number;
}

export async function measureFloor(bench: DeliveryBench, fleet: Fleet, name: string): Promise<SshFloor> {
  const folder = bench.scratch.at(name);
  mkdirSync(folder, { mode: 0o700 });
  const options = ["ControlMaster=auto", `ControlPath=${folder}/%n`, "ControlPersist=60", "BatchMode=yes"];
  // The one that the others find on their PATH.
  const [path = ""] = (fleet.env["PATH"] ?? "").split(":");
  const command = [join(path, "ssh"), ...options.flatMap((option) => ["-o", option])];
  const all = async (): Promise<number> => {
    const started = performance.now();
    const left = [...fleet.homes.keys()];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let host = left.pop(); host !== undefined; host = left.pop())
          await timeRun({ command: [...command, host, "true"], env: fleet.env });
      }),
    );
    return performance.now() - started;
  };
  try {
    return { connectMs: await all(), keptMs: await all() };
  } finally {
    await fleet.disconnect(folder);
  }
}
