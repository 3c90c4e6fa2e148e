import { mkdirSync, writeFileSync } from "node:fs";
import { Secret, silentLogger } from "#core";
import { changeVault } from "#logins";
import type { DeliveryBench } from "./delivery-row.ts";

/** A person's home with wharf.yaml, a vault and its key. */
export interface SealedHome {
  readonly home: string;
  /** The whole environment for the programs that are measured. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: string;
  /** `registry-007.example` and so on, in the order of the logins. */
  readonly registries: readonly string[];
}

/** Makes a home whose vault holds `count` logins, each of a registry of its own, and delivers them as `deliver` says (lines of YAML). */
export async function createSealedHome(
  bench: DeliveryBench,
  name: string,
  count: number,
  deliver: readonly string[],
): Promise<SealedHome> {
  const home = bench.scratch.at(name);
  const folder = `${home}/.config/wharf`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const env = { HOME: home, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  const names = Array.from({ length: count }, (_, index) => String(index + 1).padStart(3, "0"));
  const config = `${folder}/wharf.yaml`;
  writeFileSync(
    config,
    [
      "version: 1",
      "logins:",
      ...names.map((one) => `  login-${one}: { registry: registry-${one}.example, username: robot-${one} }`),
      "deliver:",
      ...deliver.map((line) => `  - ${line}`),
      "",
    ].join("\n"),
  );
  const context = { signal: new AbortController().signal, log: silentLogger };
  await changeVault(context, { env, cwd: home }, config, (content) => ({
    ...content,
    secrets: new Map(
      names.map((one) => [
        `login-${one}`,
        {
          registry: `registry-${one}.example`,
          username: `robot-${one}`,
          secret: new Secret(crypto.randomUUID()),
        },
      ]),
    ),
  }));
  return { home, env, config, registries: names.map((one) => `registry-${one}.example`) };
}
