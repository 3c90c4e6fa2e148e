/** Planning many places at once finds what planning each of them alone does, in the order of wharf.yaml. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { type Context, Secret, silentLogger } from "#core";
import { applyPlan, choosePlaces, openDelivery, planDelivery } from "#delivery";
import { readConfig, type Surroundings, saveLogin } from "#logins";
import { createScratch, type Scratch } from "./support/scratch.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const folders = ["one", "two", "three"] as const;
const logins = ["a", "b", "c"] as const;
let scratch: Scratch;
let here: Surroundings;

beforeEach(() => {
  scratch = createScratch("planning");
  here = { env: { HOME: scratch.path, PATH: scratch.at("no-programs") }, cwd: scratch.path };
});
afterEach(() => scratch.remove());

const deliveries = fc.uniqueArray(
  fc.record({
    to: fc.constantFrom("docker", "podman", "kubelet", "gitlab"),
    at: fc.constantFrom(...folders),
    logins: fc.uniqueArray(fc.constantFrom(...logins), { minLength: 1 }),
  }),
  { minLength: 1, maxLength: 7, selector: ({ to, at }) => `${to} ${at}` },
);

type Deliveries = readonly { to: string; at: string; logins: readonly string[] }[];

function write(list: Deliveries): void {
  const path = scratch.at("wharf.yaml");
  const head = readFileSync(path, "utf8").replace(/^deliver:[^]*/m, "");
  const lines = list.map(
    ({ to, at, logins: names }) => `  - { to: ${to}, at: "folder:${at}", logins: [${names.join(", ")}] }\n`,
  );
  writeFileSync(path, `${head}deliver:\n${lines.join("")}`);
}

async function input() {
  return await openDelivery(context, here, await readConfig(here), true);
}

async function apply(): Promise<void> {
  const opened = await input();
  await applyPlan(context, opened, await planDelivery(context, opened));
}

test("every place is planned as if it were alone, whatever was delivered before and changed there since", async () => {
  writeFileSync(scratch.at("wharf.yaml"), "version: 1\nlogins: {}\n");
  for (const name of logins)
    await saveLogin(context, here, undefined, {
      name,
      registry: `${name}.example`,
      username: name,
      secret: new Secret(crypto.randomUUID()),
    });
  await fc.assert(
    fc.asyncProperty(deliveries, deliveries, fc.constantFrom(...folders), async (before, after, changed) => {
      for (const folder of folders) {
        rmSync(scratch.at(folder), { recursive: true, force: true });
        mkdirSync(scratch.at(folder), { mode: 0o700 });
      }
      rmSync(scratch.at("wharf.state"), { force: true });
      write(before);
      await apply();
      // One file that does not parse any more: its target's failure alone.
      const broken = scratch.at(changed, ".docker/config.json");
      if (before.some(({ to, at }) => to === "docker" && at === changed)) appendFileSync(broken, "}");
      write(after);
      const opened = await input();
      const whole = JSON.parse(JSON.stringify((await planDelivery(context, opened)).targets)) as {
        place: string;
        consumer: string;
      }[];
      const alone: unknown[] = [];
      for (const folder of folders) {
        const place = `folder:${folder}`;
        const isKnown =
          after.some(({ at }) => at === folder) || opened.records.some((record) => record.place === place);
        const found = whole.filter((target) => target.place === place);
        if (isKnown)
          expect(found).toEqual(
            JSON.parse(JSON.stringify((await planDelivery(context, choosePlaces(opened, place))).targets)),
          );
        else expect(found).toEqual([]);
        alone.push(...found);
      }
      expect(alone).toHaveLength(whole.length);
      expect(whole.slice(0, after.length).map(({ consumer, place }) => `${consumer} ${place}`)).toEqual(
        after.map(({ to, at }) => `${to} folder:${at}`),
      );
    }),
    { seed: 4, numRuns: 25 },
  );
}, 120_000);
