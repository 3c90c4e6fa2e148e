/** DeepOps' vars file as it is delivered, read by the real ansible-core; and a file of a site's own, kept and taken back. */
import { afterEach, beforeEach, expect } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { needs, programPath } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";

const PASSWORD = `pass-${crypto.randomUUID()}`;
/** What Ansible, YAML or Jinja would make something else of. */
const WORDS: Readonly<Record<string, string>> = {
  HUB: `0${crypto.randomUUID()} # not a comment`,
  NGC: `{{ 7 * 7 }}'"\\${crypto.randomUUID()}{% raw %}`,
  TEAM: `ä€\u2028😀\u0085\t ${crypto.randomUUID()}`,
};
const LIMIT_MS = 120_000;
const withAnsible = needs("ansible-playbook", "ansible-vault");

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch("ansible-vars");
  writeFileSync(scratch.at("password"), PASSWORD, { mode: 0o600 });
});
afterEach(() => scratch.remove());

/** What the role would give to docker_login, entry by entry. */
function readByAnsible(id: string): unknown {
  writeFileSync(
    scratch.at("play.yml"),
    `- hosts: localhost
  gather_facts: false
  tasks:
    - copy:
        content: "{{ item.registry }}\\n{{ item.username }}\\n{{ item.password | b64encode }}"
        dest: "${scratch.path}/out-{{ index }}"
        mode: "0600"
      loop: "{{ docker_login_registries }}"
      loop_control: { index_var: index }
      no_log: true
`,
  );
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [
      programPath("ansible-playbook"),
      "-i",
      "localhost,",
      "-c",
      "local",
      id,
      "-e",
      "@docker-login.yml",
      "play.yml",
    ],
    {
      cwd: scratch.path,
      env: { PATH: "/usr/bin:/bin", HOME: scratch.path, LC_ALL: "C.UTF-8" },
      stdin: "ignore",
    },
  );
  if (exitCode !== 0) throw new Error(stdout.toString() + stderr.toString());
  const found: unknown[] = [];
  for (let index = 0; existsSync(scratch.at(`out-${index}`)); index++) {
    const [registry, username, word = ""] = readFileSync(scratch.at(`out-${index}`), "utf8").split("\n");
    found.push([registry, username, Buffer.from(word, "base64").toString()]);
    writeFileSync(scratch.at(`out-${index}`), "");
  }
  return found;
}

const EXPECTED = [
  ["https://index.docker.io/v1/", "acme", WORDS["HUB"]],
  ["nvcr.io", "$oauthtoken", WORDS["NGC"]],
  ["registry.example.ac.uk:5000", "robot$team+pull", WORDS["TEAM"]],
];

async function wharf(line: string, ...delivery: readonly string[]) {
  if (delivery.length > 0)
    writeFileSync(
      scratch.at("wharf.yaml"),
      `version: 1
logins:
  hub: { registry: docker.io, username: acme, password: { env: HUB } }
  ngc: { registry: nvcr.io, username: $oauthtoken, password: { env: NGC } }
  team: { registry: "registry.example.ac.uk:5000", username: robot$team+pull, password: { env: TEAM } }
deliver:
${delivery.map((one) => `  - ${one}\n`).join("")}`,
    );
  const result = await runCli(line.split(" "), {
    cwd: scratch.path,
    env: { HOME: scratch.path, PATH: "/usr/bin:/bin", ...WORDS },
  });
  for (const word of [...Object.values(WORDS), PASSWORD]) expect(result.out + result.err).not.toContain(word);
  return result;
}

const text = (): string => readFileSync(scratch.at("docker-login.yml"), "utf8");

for (const [name, options, id] of [
  ["in clear", "vault: none", "-v"],
  ["encrypted whole", "vault: file, vault-password: { file: password }", "--vault-password-file=password"],
  [
    "value by value, with a vault-id",
    "vault: values, vault-id: ops, vault-password: { file: password }",
    "--vault-id=ops@password",
  ],
] as const)
  withAnsible(
    `Ansible reads to the letter what was delivered ${name}; again it is the same file; taken back it is gone`,
    async () => {
      const applied = await wharf("apply --yes", `{ to: ansible, file: docker-login.yml, ${options} }`);
      expect([applied.code, applied.err]).toEqual([0, expect.any(String)]);
      expect(statSync(scratch.at("docker-login.yml")).mode & 0o777).toBe(0o600);
      expect(readByAnsible(id)).toEqual(EXPECTED);
      const before = text();
      for (const word of Object.values(WORDS))
        if (!options.includes("none")) expect(before).not.toContain(word.slice(-20));
      expect((await wharf("apply --yes")).err).toContain("nothing to do");
      expect(text()).toBe(before);
      expect((await wharf("plan")).code).toBe(0);
      await wharf("apply --yes", "{ to: docker, at: local, logins: [] }");
      expect(existsSync(scratch.at("docker-login.yml"))).toBe(false);
    },
    LIMIT_MS,
  );

withAnsible(
  "a site's own encrypted file keeps its vault-id, its comments and its other variables",
  async () => {
    const theirs =
      "# theirs\nother: [a, b]\ndocker_login_registries:\n- registry: quay.io # kept\n  username: u\n  password: p\n- registry: nvcr.io\n  username: '$oauthtoken'\n  password: old # and why\n";
    writeFileSync(scratch.at("docker-login.yml"), theirs, { mode: 0o600 });
    const vault = (...args: readonly string[]): string => {
      const done = Bun.spawnSync(
        [programPath("ansible-vault"), ...args, "--vault-id=ops@password", "docker-login.yml"],
        {
          cwd: scratch.path,
          env: { PATH: "/usr/bin:/bin", HOME: scratch.path, LC_ALL: "C.UTF-8" },
        },
      );
      if (done.exitCode !== 0) throw new Error(done.stderr.toString());
      return done.stdout.toString();
    };
    vault("encrypt", "--encrypt-vault-id=ops");
    const delivery =
      "{ to: ansible, file: docker-login.yml, logins: [ngc], vault-id: ops, vault-password: { file: password } }";
    const applied = await wharf("apply --yes", delivery);
    expect(applied.code).toBe(0);
    expect(applied.err + applied.out).toContain("the entry nvcr.io was not written by wharf and is replaced");
    expect(text()).toStartWith("$ANSIBLE_VAULT;1.2;AES256;ops\n");
    const written = theirs.replace(
      "password: old",
      `password: !unsafe '${WORDS["NGC"]?.replaceAll("'", "''")}'`,
    );
    expect(vault("decrypt", "--output=-")).toBe(written);
    expect((await wharf("check --offline")).code).toBe(0);
    // The rest of the list stays theirs.
    expect((await wharf("revoke ngc --keep")).code).toBe(0);
    expect(vault("decrypt", "--output=-")).toBe(theirs.slice(0, theirs.indexOf("- registry: nvcr.io")));
  },
  LIMIT_MS,
);
