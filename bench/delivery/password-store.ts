import { mkdirSync } from "node:fs";
import { findProgram } from "../../test/support/programs.ts";
import { mustRun, runProgram } from "../../test/support/run-program.ts";
import type { DeliveryBench } from "./delivery-row.ts";

/** Docker's own helper over `pass`, with a key that was made for this run and has no passphrase. */
export interface PasswordStore {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Makes the store and puts a login for each registry into it; undefined, and said, where the programs are not here. */
export async function createPasswordStore(
  bench: DeliveryBench,
  registries: readonly string[],
): Promise<PasswordStore | undefined> {
  const helper = findProgram("docker-credential-pass");
  const gpg = findProgram("gpg");
  const pass = findProgram("pass");
  if (helper === undefined || gpg === undefined || pass === undefined) {
    bench.say("docker-credential-pass is left out: it, pass or gpg is not on this machine (--install-tools)");
    return undefined;
  }
  // The agent's socket is below it, and a socket's path has room for about a hundred characters.
  const home = bench.scratch.at("gpg");
  mkdirSync(home, { mode: 0o700 });
  const env = {
    HOME: bench.scratch.path,
    GNUPGHOME: home,
    PASSWORD_STORE_DIR: bench.scratch.at("store"),
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  };
  const stop = async (): Promise<void> => {
    await runProgram(["/usr/bin/gpgconf", "--homedir", home, "--kill", "all"], { env });
  };
  try {
    const user = "bench@registry.example";
    await mustRun(
      [gpg, "--batch", "--passphrase", "", "--quick-gen-key", user, "default", "default", "never"],
      { env },
    );
    await mustRun([pass, "init", user], { env });
    for (const [index, registry] of registries.entries())
      await mustRun([helper, "store"], {
        env,
        input: JSON.stringify({
          ServerURL: registry,
          Username: `robot-${index}`,
          Secret: crypto.randomUUID(),
        }),
      });
  } catch (cause) {
    await stop();
    throw cause;
  }
  const packages = await runProgram([
    "/usr/bin/dpkg-query",
    "-W",
    "-f=${Package} ${Version}, ",
    "golang-docker-credential-helpers",
    "pass",
    "gnupg",
  ]);
  bench.versions.set("docker-credential-pass", packages.out.replace(/, $/, ""));
  return { command: [helper, "get"], env, stop };
}
