/**
 * A login on its way into OpenSVC, through plan, apply and prune: a stand-in for `om` that takes the words of either generation, keeps what
 * comes on standard input, and writes down its arguments. OpenSVC itself cannot be installed here.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, isAppError, Secret, silentLogger } from "#core";
import { applyPlan, openDelivery, type Plan, type PlanInput, planDelivery } from "#delivery";
import { readConfig, type Surroundings, saveLogin } from "#logins";
import { createFolderPlace, createLocalPlace, type Place, withOpensvcObjects } from "#places";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
let folder: string;
let node: string;
let here: Surroundings;

// `crypt:` stands for what the cluster's secret makes of a value; the real one needs the daemon.
const OM = `#!/bin/sh
printf '%s\\n' "$*" >> "$WHARF_TEST_NODE/om.log"
object=$1; shift
[ "$1" = key ] && { generation=3; shift; } || generation=2
verb=$1; shift
file=$WHARF_TEST_NODE/etc/opensvc/namespaces/$object.conf
if [ "$verb" = create ]; then mkdir -p "\${file%/*}"; printf '[DEFAULT]\\nid = 1\\n\\n[data]\\n' > "$file"; exit 0; fi
[ -f "$file" ] || exit 2
case $generation$1 in 2--key|3--name) key=$2 ;; *) exit 3 ;; esac
case $verb in
  decode) sed -n "s/^$key = crypt://p" "$file" | base64 -d ;;
  remove) sed -i "/^$key = /d" "$file" ;;
  change)
    [ "$3 $4" = "--from /dev/stdin" ] || exit 4
    value=$(base64 | tr -d '\\n')
    sed -i "/^$key = /d" "$file"
    printf '%s = crypt:%s\\n' "$key" "$value" >> "$file" ;;
  *) exit 5 ;;
esac
`;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "wharf-opensvc-")));
  node = join(folder, "node");
  mkdirSync(join(folder, "bin"));
  mkdirSync(node, { mode: 0o700 });
  writeFileSync(join(folder, "bin", "om"), OM, { mode: 0o755 });
  chmodSync(join(folder, "bin", "om"), 0o755);
  here = { env: { HOME: join(folder, "home"), PATH: join(folder, "no-programs") }, cwd: folder };
  mkdirSync(join(folder, "home"), { mode: 0o700 });
  writeFileSync(join(folder, "wharf.yaml"), "version: 1\ndeliver:\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A node below a folder: its files there, its `om` the stand-in. */
function openNode(): Place {
  const env = { PATH: `${join(folder, "bin")}:/usr/bin:/bin`, WHARF_TEST_NODE: node };
  const runner = createLocalPlace({ home: node, env });
  return withOpensvcObjects({
    ...createFolderPlace(node),
    async run(given, command) {
      return await runner.run?.(given, command);
    },
  });
}

async function open(deliver: string): Promise<PlanInput> {
  const path = join(folder, "wharf.yaml");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/^deliver:\n(?: {2}-.*\n)*/m, `deliver:\n${deliver}`));
  const input = await openDelivery(context, here, await readConfig(here), true);
  return { ...input, inventory: { ...input.inventory, openPlace: () => Promise.resolve(openNode()) } };
}

async function apply(deliver: string): Promise<Plan> {
  const input = await open(deliver);
  const plan = await planDelivery(context, input);
  for (const { error } of await applyPlan(context, input, plan)) if (error !== undefined) throw error;
  return plan;
}

async function save(name: string, registry: string): Promise<Secret> {
  const secret = new Secret(randomBytes(12).toString("hex"));
  await saveLogin(context, here, undefined, { name, registry, username: `${name}-user`, secret });
  return secret;
}

const omLog = (): readonly string[] =>
  existsSync(join(node, "om.log")) ? readFileSync(join(node, "om.log"), "utf8").trim().split("\n") : [];
const verbs = (): readonly string[] =>
  omLog().map((line) => line.split(" ")[line.includes(" key ") ? 2 : 1] ?? "");
const secFile = (): string => join(node, "etc/opensvc/namespaces/myns/sec/creds.conf");

function auths(): Readonly<Record<string, { readonly auth: string }>> {
  const value = /^config\.json = crypt:(.*)$/m.exec(readFileSync(secFile(), "utf8"))?.[1] ?? "";
  return JSON.parse(Buffer.from(value, "base64").toString()).auths;
}

describe.each([2, 3])("generation %d", (version) => {
  const delivery = (more = ""): string =>
    `  - { to: opensvc, at: local, scope: namespace, namespace: myns, name: creds, version: ${version}${more} }\n`;

  test("makes the object, writes the key by standard input, and writes nothing the second time", async () => {
    const secret = await save("hub", "docker.io");
    await apply(delivery());
    expect(Buffer.from(auths()["https://index.docker.io/v1/"]?.auth ?? "", "base64").toString()).toBe(
      `hub-user:${secret.reveal()}`,
    );
    expect(verbs()).toEqual(["create", "change"]);
    const again = await apply(delivery());
    expect(again.targets.flatMap(({ files }) => files.map(({ action }) => action))).toEqual(["none"]);
    expect(new Set(verbs().slice(2))).toEqual(new Set(["decode"]));
    const log = readFileSync(join(node, "om.log"), "utf8");
    for (const canary of [secret.reveal(), Buffer.from(`hub-user:${secret.reveal()}`).toString("base64")])
      expect(log).not.toContain(canary);
  });

  test("keeps somebody's entries, mends drift, and takes the key away when the delivery leaves", async () => {
    await save("hub", "docker.io");
    mkdirSync(join(node, "etc/opensvc/namespaces/myns/sec"), { recursive: true });
    const theirs = Buffer.from('{"auths":{"else.example":{"auth":"YTpi"}}}').toString("base64");
    writeFileSync(
      secFile(),
      `[DEFAULT]\nid = 1\n\n[data]\nother = crypt:eA==\nconfig.json = crypt:${theirs}\n`,
    );
    await apply(delivery());
    expect(Object.keys(auths())).toEqual(["else.example", "https://index.docker.io/v1/"]);
    expect(verbs()).not.toContain("create");
    const value = readFileSync(secFile(), "utf8");
    writeFileSync(secFile(), value.replace(/^config\.json = .*\n/m, ""));
    const plan = await apply(delivery());
    const causes = plan.targets.flatMap(({ files }) =>
      files.flatMap(({ changes }) => changes.map(({ cause }) => cause)),
    );
    expect(causes).toEqual(["changed there"]);
    await apply("  - { to: docker, at: local }\n");
    expect(readFileSync(secFile(), "utf8")).toContain("other = crypt:eA==");
    expect(readFileSync(secFile(), "utf8")).not.toContain("config.json");
  });
});

test("2: registry_creds comes into the services and goes with the delivery, every other byte kept", async () => {
  await save("hub", "docker.io");
  const folderOfServices = join(node, "etc/opensvc/namespaces/myns/svc");
  mkdirSync(folderOfServices, { recursive: true });
  const before = "[DEFAULT]\nnodes = *\n\n[container#0]\ntype = docker\n";
  writeFileSync(join(folderOfServices, "web.conf"), before);
  const text = (): string => readFileSync(join(folderOfServices, "web.conf"), "utf8");
  await apply(
    "  - { to: opensvc, at: local, scope: namespace, namespace: myns, name: creds, version: 2, services: [web] }\n",
  );
  expect(text()).toBe(before.replace("= *\n", "= *\nregistry_creds = creds\n"));
  await apply("  - { to: docker, at: local }\n");
  expect(text()).toBe(before);
});

test("a node without om, and an om that fails, are said without what it printed", async () => {
  await save("hub", "docker.io");
  const deliver =
    "  - { to: opensvc, at: local, scope: namespace, namespace: myns, name: creds, version: 2 }\n";
  writeFileSync(join(folder, "bin", "om"), "#!/bin/sh\ncat; exit 7\n");
  const failure = async (): Promise<unknown> => {
    try {
      await apply(deliver);
    } catch (fault) {
      return fault;
    }
    return undefined;
  };
  const failed = await failure();
  expect(isAppError(failed, "PROGRAM_FAILED") && failed.message).toContain("om ended with 7");
  rmSync(join(folder, "bin", "om"));
  const missing = await failure();
  expect(isAppError(missing, "NOT_FOUND") && missing.message).toContain("there is no om");
});
