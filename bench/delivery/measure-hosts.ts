import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { findProgram, programPath } from "../../test/support/programs.ts";
import { runProgram } from "../../test/support/run-program.ts";
import { type PeerRow, timesFaster } from "../peer-row.ts";
import { median } from "../registry/row.ts";
import { createAnsibleCopy } from "./ansible-copy.ts";
import type { Deliverer } from "./deliverer.ts";
import type { DeliveryBench } from "./delivery-row.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import { createSealedHome, type SealedHome } from "./sealed-logins.ts";
import { measureFloor, type SshFloor } from "./ssh-floor.ts";
import { type TimedProgram, timeRun } from "./time-runs.ts";

const LOGINS = 3;
/** Failed for one host. */
const PARTLY = [0, 3];
const PEER = "ansible.builtin.copy, forks 20, one round";
/**
 * OpenSSH 9's own choice, sntrup761x25519, costs the client a tenth of a second of a core for each connection, whoever starts it. This one
 * costs next to nothing, as does OpenSSH 10's mlkem768x25519: it shows what is left.
 */
const SHORT_EXCHANGE = "curve25519-sha256";

interface Measured {
  readonly firstMs: number;
  readonly quietMs: number;
  /** From the start until the last host has its file. */
  readonly lastMs: number;
}

/**
 * Many hosts over SSH, against `ansible.builtin.copy`: the first delivery, nothing to do, and a dead host among them. Ansible takes minutes
 * for a round, so it has one; a floor is measured beside them: what OpenSSH takes for the connections alone.
 */
export async function measureHosts(bench: DeliveryBench): Promise<readonly PeerRow[]> {
  if (["sshd", "ssh", "ssh-keygen"].some((program) => findProgram(program) === undefined)) {
    bench.say("hosts over SSH are left out: OpenSSH is not on this machine (--install-tools)");
    return [];
  }
  const version = await runProgram([programPath("ssh"), "-V"]);
  bench.versions.set("OpenSSH", version.err.trim());
  return [
    ...(await measureFleet(bench, { name: "usual", lines: [], says: "", firstAlone: false })),
    ...(await measureFleet(bench, {
      name: "short",
      lines: [`KexAlgorithms ${SHORT_EXCHANGE}`],
      says: `, everybody with KexAlgorithms ${SHORT_EXCHANGE}`,
      firstAlone: true,
    })),
  ];
}

/** How the hosts of one part of the measure are reached. */
interface Way {
  readonly name: string;
  /** Of ssh_config, for each host. */
  readonly lines: readonly string[];
  /** Behind the work's name in the report. */
  readonly says: string;
  /** Only the first delivery is measured: the rest makes no connection. */
  readonly firstAlone: boolean;
}

async function measureFleet(bench: DeliveryBench, way: Way): Promise<readonly PeerRow[]> {
  const fleet = await startFleet(bench.settings.hosts, way.lines);
  try {
    const owner = await createSealedHome(bench, `owner-${way.name}`, LOGINS, [
      `{ to: docker, at: "${fleet.place}" }`,
    ]);
    const ours = createOurs(fleet, bench.wharf, owner);
    const floors: SshFloor[] = [];
    const found: Measured[] = [];
    const besides: number[] = [];
    for (let round = 1; round <= bench.settings.rounds; round++) {
      // In each round, so that a slow minute of the machine hits both.
      floors.push(await measureFloor(bench, fleet, `floor-${way.name}-${round}`));
      found.push(await measureOne(fleet, ours, way));
      if (!way.firstAlone) besides.push(await measureBeside(fleet, ours));
    }
    const floor = {
      connectMs: median(floors.map(({ connectMs }) => connectMs)),
      keptMs: median(floors.map(({ keptMs }) => keptMs)),
    };
    bench.say(
      `${fleet.homes.size} hosts${way.says}: ssh alone ${seconds(floor.connectMs)}, kept ${seconds(floor.keptMs)}`,
    );
    bench.say(`wharf, first: ${found.map(({ firstMs }) => seconds(firstMs)).join(", ")}`);
    const ansible = await createAnsibleCopy(bench, fleet, `ansible-${way.name}`);
    const theirs = ansible === undefined ? undefined : await measureOne(fleet, ansible, way);
    return rowsOf(bench, way, { floor, ours: found, besides, theirs });
  } finally {
    await fleet.stop();
  }
}

async function measureOne(fleet: Fleet, deliverer: Deliverer, { firstAlone }: Way): Promise<Measured> {
  await reset(fleet, deliverer);
  const startedAt = Date.now();
  const first = await timeRun(deliverer.run());
  const lastMs = fleet.lastWrite() - startedAt;
  // Right after the first: each uses what connections it keeps.
  const quietMs = firstAlone ? Number.NaN : (await timeRun(deliverer.run())).ms;
  return { firstMs: first.ms, quietMs, lastMs };
}

/** When the last of the living has its file, with a dead host before them. */
async function measureBeside(fleet: Fleet, ours: Ours): Promise<number> {
  await reset(fleet, ours);
  const startedAt = Date.now();
  await timeRun(ours.runBesideDead());
  return fleet.lastWrite() - startedAt;
}

async function reset(fleet: Fleet, deliverer: Deliverer): Promise<void> {
  await fleet.disconnect(...deliverer.sockets);
  deliverer.reset();
}

/** `wharf apply`, and the same with a dead host before the others. */
interface Ours extends Deliverer {
  runBesideDead(): TimedProgram;
}

function createOurs(fleet: Fleet, wharf: string, owner: SealedHome): Ours {
  const text = readFileSync(owner.config, "utf8");
  const runWith = (config: string): TimedProgram => {
    writeFileSync(owner.config, config);
    return {
      command: [wharf, "apply", "--yes", "--json"],
      env: { ...fleet.env, HOME: owner.home },
      cwd: owner.home,
      codes: PARTLY,
    };
  };
  return {
    sockets: [],
    reset() {
      fleet.empty(false);
      rmSync(`${owner.home}/.config/wharf/wharf.state`, { force: true });
    },
    run: () => runWith(text),
    runBesideDead: () => runWith(text.replace("ssh://", `ssh://${fleet.dead},`)),
  };
}

function rowsOf(
  bench: DeliveryBench,
  way: Way,
  found: {
    readonly floor: SshFloor;
    readonly ours: readonly Measured[];
    readonly besides: readonly number[];
    readonly theirs: Measured | undefined;
  },
): readonly PeerRow[] {
  const { floor, ours, theirs } = found;
  const hosts = `${bench.settings.hosts} SSH hosts`;
  const row = (work: string, pick: (one: Measured) => number, floorMs: number): PeerRow => {
    const value = median(ours.map(pick)) / 1000;
    const peer = theirs === undefined ? undefined : { peer: PEER, value: pick(theirs) / 1000 };
    const verdict = timesFaster(value, peer, 10);
    return {
      work: `${hosts}, ${work}${way.says}`,
      unit: "s",
      decimals: 2,
      wharf: value,
      peers: [...(peer === undefined ? [] : [peer]), { peer: "floor, ssh HOST true", value: floorMs / 1000 }],
      goal: "≥ 10 × ansible.builtin.copy",
      verdict: verdict && {
        ...verdict,
        words: `${verdict.words}; ${((value * 1000) / floorMs).toFixed(2)} × the floor`,
      },
    };
  };
  const first = row("first delivery", ({ firstMs }) => firstMs, floor.connectMs);
  if (way.firstAlone) return [first];
  const alone = median(ours.map(({ lastMs }) => lastMs)) / 1000;
  const beside = median(found.besides) / 1000;
  return [
    first,
    row("nothing to do, right after it", ({ quietMs }) => quietMs, floor.keptMs),
    {
      work: `${hosts} and a dead one${way.says}: the last of the others has its file after`,
      unit: "s",
      decimals: 2,
      wharf: beside,
      peers: [{ peer: "without the dead one", value: alone }],
      goal: "a dead host costs the others nothing",
      verdict: {
        met: beside <= alone * 1.15,
        words: `${(beside / alone).toFixed(2)} × the time without it`,
      },
    },
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
