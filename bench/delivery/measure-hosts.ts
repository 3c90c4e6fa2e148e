import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { findProgram } from "../../test/support/programs.ts";
import { runProgram } from "../../test/support/run-program.ts";
import { median } from "../registry/row.ts";
import { type DeliveryBench, type DeliveryRow, type PeerFigure, timesFaster } from "./delivery-row.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import { createSealedHome, type SealedHome } from "./sealed-logins.ts";
import { type TimedProgram, timeRun } from "./time-runs.ts";

const LOGINS = 3;
/** Failed for one host: ours, and Ansible's for hosts that cannot be reached. */
const PARTLY = [0, 3, 4];

interface Measured {
  readonly firstMs: number;
  readonly quietMs: number;
  /** From the start until the last living host has its file: alone, and with a dead host among them. */
  readonly lastMs: number;
  readonly lastBesideDeadMs: number;
}

/** Many hosts over SSH, against `ansible.builtin.copy`: the first delivery, nothing to do, and a dead host among them. */
export async function measureHosts(bench: DeliveryBench): Promise<readonly DeliveryRow[]> {
  if (["sshd", "ssh", "ssh-keygen"].some((program) => findProgram(program) === undefined)) {
    bench.say("hosts over SSH are left out: OpenSSH is not on this machine (--install-tools)");
    return [];
  }
  const fleet = await startFleet(bench.settings.hosts);
  try {
    const owner = await createSealedHome(bench, "owner", LOGINS, [`{ to: docker, at: "${fleet.place}" }`]);
    const ours = createOurs(bench, fleet, owner);
    const theirs = await createTheirs(bench, fleet, ours);
    const found: { ours: Measured[]; theirs: Measured[] } = { ours: [], theirs: [] };
    for (let round = 0; round < bench.settings.rounds; round++) {
      found.ours.push(await measureOne(fleet, ours));
      if (theirs !== undefined) found.theirs.push(await measureOne(fleet, theirs));
    }
    return rowsOf(bench, found.ours, found.theirs);
  } finally {
    await fleet.stop();
  }
}

/** How one of the two delivers. */
interface Deliverer {
  /** As it is before anything was delivered. */
  reset(): void;
  run(withDead: boolean): TimedProgram;
  /** Folders of sockets to end beside wharf's. */
  readonly sockets: readonly string[];
}

async function measureOne(fleet: Fleet, deliverer: Deliverer): Promise<Measured> {
  const start = async (withDead: boolean): Promise<{ readonly ms: number; readonly startedAt: number }> => {
    const startedAt = Date.now();
    const { ms } = await timeRun(deliverer.run(withDead));
    return { ms, startedAt };
  };
  const reset = async (): Promise<void> => {
    await fleet.disconnect(...deliverer.sockets);
    deliverer.reset();
  };
  await reset();
  const first = await start(false);
  const lastMs = fleet.lastWrite() - first.startedAt;
  // Right after the first: each uses what connections it keeps.
  const quiet = await start(false);
  await reset();
  const beside = await start(true);
  return {
    firstMs: first.ms,
    quietMs: quiet.ms,
    lastMs,
    lastBesideDeadMs: fleet.lastWrite() - beside.startedAt,
  };
}

function createOurs(bench: DeliveryBench, fleet: Fleet, owner: SealedHome): Deliverer {
  const text = readFileSync(owner.config, "utf8");
  return {
    sockets: [],
    reset() {
      fleet.empty(false);
      rmSync(`${owner.home}/.config/wharf/wharf.state`, { force: true });
    },
    run(withDead) {
      writeFileSync(owner.config, withDead ? text.replace("ssh://", `ssh://${fleet.dead},`) : text);
      return {
        command: [bench.wharf, "apply", "--yes", "--json"],
        env: { ...fleet.env, HOME: owner.home },
        cwd: owner.home,
        codes: PARTLY,
      };
    },
  };
}

/** Ansible with the same file; undefined, and said, where it is not here. Ours runs first, since its file is what is copied. */
async function createTheirs(
  bench: DeliveryBench,
  fleet: Fleet,
  ours: Deliverer,
): Promise<Deliverer | undefined> {
  const ansible = findProgram("ansible");
  if (ansible === undefined) {
    bench.say("ansible.builtin.copy is left out: ansible-core is not on this machine (--install-tools)");
    return undefined;
  }
  ours.reset();
  await timeRun(ours.run(false));
  const [home = ""] = fleet.homes.values();
  const user = bench.scratch.at("ansible");
  mkdirSync(user, { mode: 0o700 });
  const source = bench.scratch.at("config.json");
  writeFileSync(source, readFileSync(`${home}/.docker/config.json`), { mode: 0o600 });
  const inventory = bench.scratch.at("inventory");
  const dead = bench.scratch.at("inventory-dead");
  const lines = [...fleet.homes].map(([host, at]) => `${host} at=${at}\n`).join("");
  writeFileSync(inventory, lines);
  writeFileSync(dead, `${fleet.dead} at=/nonexistent\n${lines}`);
  const config = bench.scratch.at("ansible.cfg");
  writeFileSync(
    config,
    "[defaults]\nforks = 20\ninterpreter_python = /usr/bin/python3\nretry_files_enabled = False\n[ssh_connection]\npipelining = True\n",
  );
  const env = { ...fleet.env, HOME: user, ANSIBLE_CONFIG: config, LC_ALL: "C.UTF-8" };
  const version = await runProgram([ansible, "--version"], { env });
  bench.versions.set("ansible-core", version.out.split("\n")[0] ?? "");
  return {
    sockets: [`${user}/.ansible/cp`],
    reset: () => fleet.empty(true),
    run: (withDead) => ({
      command: [
        ansible,
        "all",
        "-i",
        withDead ? dead : inventory,
        "-m",
        "ansible.builtin.copy",
        "-a",
        `src=${source} dest={{at}}/.docker/config.json mode=0600`,
      ],
      env,
      codes: PARTLY,
    }),
  };
}

function rowsOf(
  bench: DeliveryBench,
  ours: readonly Measured[],
  theirs: readonly Measured[],
): readonly DeliveryRow[] {
  const of = (list: readonly Measured[], pick: (one: Measured) => number): number =>
    median(list.map(pick)) / 1000;
  const peers = (pick: (one: Measured) => number): readonly PeerFigure[] =>
    theirs.length === 0 ? [] : [{ peer: "ansible.builtin.copy, forks 20", value: of(theirs, pick) }];
  const row = (work: string, pick: (one: Measured) => number): DeliveryRow => ({
    work,
    unit: "s",
    decimals: 2,
    wharf: of(ours, pick),
    peers: peers(pick),
    goal: "≥ 10 × ansible.builtin.copy",
    verdict: timesFaster(of(ours, pick), peers(pick)[0], 10),
  });
  const alone = of(ours, (one) => one.lastMs);
  const beside = of(ours, (one) => one.lastBesideDeadMs);
  const hosts = bench.settings.hosts;
  return [
    row(`${hosts} SSH hosts, first delivery`, (one) => one.firstMs),
    row(`${hosts} SSH hosts, nothing to do, right after it`, (one) => one.quietMs),
    {
      ...row(
        `${hosts} SSH hosts and a dead one: the last of the others has its file after`,
        (one) => one.lastBesideDeadMs,
      ),
      goal: "a dead host costs the others nothing",
      verdict: {
        met: beside <= alone * 1.15,
        words: `${(beside / alone).toFixed(2)} × the time without it`,
      },
    },
  ];
}
