import { mkdirSync } from "node:fs";
import { consumers } from "#consumers";
import { atMostMs, type PeerRow } from "../peer-row.ts";
import type { DeliveryBench } from "./delivery-row.ts";
import { createSealedHome } from "./sealed-logins.ts";
import { timeInTurn, timeRun } from "./time-runs.ts";

const LOGINS = 50;
const TARGETS = 20;

/** `wharf plan` for many logins and programs in folders: with nothing there yet, and with nothing to do. */
export async function measurePlanning(bench: DeliveryBench): Promise<readonly PeerRow[]> {
  // Each program once in each folder, until there are enough.
  const deliver = Array.from({ length: TARGETS }, (_, index) => {
    const name = consumers[index % consumers.length]?.name ?? "docker";
    const folder = bench.scratch.at(`root-${Math.floor(index / consumers.length)}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return `{ to: ${name}, at: "folder:${folder}"${name === "kubernetes" ? ", name: regcred, namespaces: [team]" : ""} }`;
  });
  const owner = await createSealedHome(bench, "owner", LOGINS, deliver);
  const program = (...args: readonly string[]) => ({
    command: [bench.wharf, ...args],
    env: owner.env,
    cwd: owner.home,
    // A program that cannot express some login refuses it: that is planning too.
    codes: [0, 3],
  });
  const plan = program("plan", "--json");
  const targets = (JSON.parse((await timeRun(plan)).out) as { targets: { error: unknown }[] }).targets;
  const failed = targets.find(({ error }) => error !== null);
  if (targets.length !== TARGETS || failed !== undefined)
    throw new Error(`planning is not as it should be: ${JSON.stringify(failed ?? targets.length)}`);
  const [emptyMs = Number.NaN] = await timeInTurn([plan], bench.settings.starts);
  await timeRun(program("apply", "--yes", "--json"));
  const [quietMs = Number.NaN] = await timeInTurn([plan], bench.settings.starts);
  const row = (work: string, value: number): PeerRow => ({
    work,
    unit: "ms",
    decimals: 0,
    wharf: value,
    peers: [],
    goal: "≤ 500 ms",
    verdict: atMostMs(value, 500),
  });
  return [
    row(`wharf plan, ${LOGINS} logins × ${TARGETS} consumers in folders, nothing there yet`, emptyMs),
    row("the same, all delivered", quietMs),
  ];
}
