import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { programPath } from "../../test/support/programs.ts";
import { runProgram } from "../../test/support/run-program.ts";
import { startSshServer } from "../../test/support/ssh-server.ts";

/** Many hosts on one loopback sshd, and one that takes connections and says nothing. */
export interface Fleet {
  readonly env: Readonly<Record<string, string>>;
  /** Homes of the living hosts, by name. */
  readonly homes: ReadonlyMap<string, string>;
  /** As in wharf.yaml: `ssh://gpu[001-200]`. */
  readonly place: string;
  readonly dead: string;
  /** Empties the homes, and makes `.docker` where a peer would not make it itself. */
  empty(withFolder: boolean): void;
  /** When the last living host got its file, milliseconds since the epoch. Throws where one has none. */
  lastWrite(): number;
  /** Ends the connections that OpenSSH keeps under these folders. */
  disconnect(...folders: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const FILE = ".docker/config.json";

/** `lines` are of ssh_config, for each host. */
export async function startFleet(count: number, lines: readonly string[] = []): Promise<Fleet> {
  const server = await startSshServer({ more: ["MaxStartups 200:30:400"] });
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const name = (index: number): string => `gpu${String(index).padStart(3, "0")}`;
  const homes = new Map(
    Array.from({ length: count }, (_, index) => [name(index + 1), server.addHost(name(index + 1), lines)]),
  );
  server.addHost("dead", [`Port ${silent.port}`, ...lines]);
  return {
    env: server.env,
    homes,
    place: `ssh://gpu[001-${String(count).padStart(3, "0")}]`,
    dead: "dead",
    empty(withFolder) {
      for (const home of homes.values()) {
        for (const one of readdirSync(home)) rmSync(join(home, one), { recursive: true });
        if (withFolder) mkdirSync(join(home, ".docker"), { mode: 0o700 });
      }
    },
    lastWrite() {
      return Math.max(...[...homes.values()].map((home) => statSync(join(home, FILE)).mtimeMs));
    },
    async disconnect(...folders) {
      for (const folder of [join(server.env["XDG_RUNTIME_DIR"] ?? "", "wharf-ssh"), ...folders])
        for (const socket of existsSync(folder) ? readdirSync(folder) : [])
          await runProgram([programPath("ssh"), "-O", "exit", "-S", join(folder, socket), "any"]);
    },
    async stop() {
      silent.stop(true);
      await server.stop();
    },
  };
}
