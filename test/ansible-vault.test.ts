/** Files of Ansible Vault, both ways, against the real ansible-core; and logins whose secrets lie in them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { openAnsibleVault, sealAnsibleVault } from "#ansible";
import { Secret } from "#core";
import { needs, programPath } from "./support/programs.ts";
import { type CliOptions, runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";

const SECRET = `canary-{{x}}-${crypto.randomUUID()}`;
const PASSWORD = `pass-${crypto.randomUUID()}`;
const LIMIT_MS = 90_000;
const withAnsible = needs("ansible-vault", "ansible");

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch("ansible-vault");
  writeFileSync(scratch.at("password"), `${PASSWORD}\n`, { mode: 0o600 });
});
afterEach(() => scratch.remove());

function ansible(program: string, args: readonly string[], input = ""): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([programPath(program), ...args], {
    cwd: scratch.path,
    env: { PATH: "/usr/bin:/bin", HOME: scratch.path, LC_ALL: "C.UTF-8" },
    stdin: Buffer.from(input),
  });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}

function options(more: Readonly<Record<string, string>> = {}): CliOptions {
  return { cwd: scratch.path, env: { HOME: scratch.path, PATH: "/usr/bin:/bin", ...more } };
}

/** The secret as the login has it: what is delivered of it. */
async function delivered(
  source: string,
  more: Readonly<Record<string, string>> = {},
  answers?: readonly string[],
) {
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1\nlogins:\n  ngc: { registry: nvcr.io, username: $oauthtoken, password: { ansible-vault: ${source} } }\n`,
  );
  const result = await runCli(["render", "docker", ...(answers === undefined ? [] : ["--show"])], {
    ...options(more),
    ...(answers === undefined ? {} : { answers }),
  });
  if (result.code !== 0) return result.err;
  expect(result.err).not.toContain(SECRET);
  const { auth } = JSON.parse(result.out).auths["nvcr.io"];
  return Buffer.from(auth, "base64").toString();
}

const GOOD = `$oauthtoken:${SECRET}`;
const LIST = `docker_login_registries:\n- registry: nvcr.io\n  username: '$oauthtoken'\n  password: !unsafe '${SECRET}'\n`;

withAnsible(
  "what ansible-vault encrypts is read here, and what is sealed here ansible-vault reads",
  () => {
    const by = { label: undefined, password: new Secret(PASSWORD) };
    for (const label of [undefined, "ops"]) {
      const id = label === undefined ? "--vault-password-file=password" : `--vault-id=${label}@password`;
      writeFileSync(scratch.at("theirs"), `ä\n${SECRET}`);
      const more = label === undefined ? [] : [`--encrypt-vault-id=${label}`];
      ansible("ansible-vault", ["encrypt", id, ...more, "theirs"]);
      const opened = openAnsibleVault(
        readFileSync(scratch.at("theirs"), "utf8"),
        [{ ...by, label }],
        "theirs",
      );
      expect([opened.clear.reveal(), opened.label]).toEqual([`ä\n${SECRET}`, label]);
      for (const text of ["", "x".repeat(16), `ä\n${SECRET}`]) {
        const sealed = sealAnsibleVault(new Secret(text), { ...by, label });
        writeFileSync(scratch.at("ours"), sealed);
        expect(ansible("ansible-vault", ["decrypt", "--output=-", id, "ours"])).toBe(text);
      }
    }
  },
  LIMIT_MS,
);

withAnsible(
  "a login's secret in DeepOps' list, encrypted whole, with a vault-id, and value by value",
  async () => {
    writeFileSync(scratch.at("docker-login.yml"), LIST);
    expect(await delivered("docker-login.yml")).toBe(GOOD);
    ansible("ansible-vault", ["encrypt", "--vault-id=ops@password", "docker-login.yml"]);
    const file = "{ file: docker-login.yml, vault-id: ops, vault-password: { file: password } }";
    expect(await delivered(file)).toBe(GOOD);
    // The usual ways of a person at a terminal, and of a site.
    expect(await delivered("docker-login.yml", {}, [PASSWORD])).toBe(GOOD);
    expect(await delivered("docker-login.yml", { ANSIBLE_VAULT_PASSWORD_FILE: scratch.at("password") })).toBe(
      GOOD,
    );
    const inline = ansible(
      "ansible-vault",
      ["encrypt_string", "--vault-password-file=password", "--stdin-name=word"],
      SECRET,
    );
    writeFileSync(scratch.at("vars.yml"), `# theirs\n${inline}`);
    expect(await delivered("{ file: vars.yml, key: word, vault-password: { file: password } }")).toBe(GOOD);
  },
  LIMIT_MS,
);

test("a password that is wrong, missing, readable by others or a program is said, and nothing is run", async () => {
  const by = { label: undefined, password: new Secret(crypto.randomUUID()) };
  writeFileSync(scratch.at("f"), sealAnsibleVault(new Secret(LIST), by));
  const source = "{ file: f, vault-password: { file: password } }";
  expect(await delivered(source)).toContain("no password given opens it");
  chmodSync(scratch.at("password"), 0o640);
  expect(await delivered(source)).toContain("others may read it");
  writeFileSync(scratch.at("password"), `#!/bin/sh\ntouch ${scratch.at("ran")}\n`);
  chmodSync(scratch.at("password"), 0o700);
  expect(await delivered(source)).toContain("is a program");
  expect(await delivered(`{ file: f, vault-password: { command: [${scratch.at("password")}] } }`)).toContain(
    "was not trusted",
  );
  expect(await Bun.file(scratch.at("ran")).exists()).toBe(false);
  expect(await delivered("f")).toContain("nobody can be asked");
  expect(await delivered("nowhere")).toContain("there is no file");
});

test("a command that is trusted gives the password", async () => {
  writeFileSync(
    scratch.at("f"),
    sealAnsibleVault(new Secret(LIST), { label: undefined, password: new Secret(PASSWORD) }),
  );
  const source = `{ file: f, vault-password: { command: [cat, ${scratch.at("password")}] } }`;
  await delivered(source);
  expect((await runCli(["trust", "--yes"], options())).code).toBe(0);
  expect(await delivered(source)).toBe(GOOD);
});
