/** The guides from other documents do what they say: their deliveries are written, their `wharf` lines run in order, against a real registry. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sealAnsibleVault } from "#ansible";
import { Secret } from "#core";
import { proposeName } from "#logins";
import { runCli } from "./support/run-cli.ts";
import { startTestServer, type TestServer } from "./support/test-server.ts";
import { readTexts } from "./support/texts.ts";

let servers: readonly TestServer[] = [];
let home = "";

beforeAll(async () => {
  servers = await Promise.all([startTestServer(), startTestServer()]);
}, 60_000);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "wharf-guide-")));
  for (const folder of ["k8s", "ssh", "ansible"]) mkdirSync(join(home, folder), { mode: 0o700 });
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

interface Walk {
  /** The guide's registries, for each of which a server of ours stands. */
  readonly registries: readonly string[];
  /** Files that the reader has already. */
  readonly files: Readonly<Record<string, string>>;
  /** Exit codes other than 0, by the line's beginning. */
  readonly codes?: Readonly<Record<string, number>>;
  /** Lines that are not run here, and why. */
  readonly skipped?: readonly string[];
  /** What must lie below the home afterwards, and something in it. */
  readonly leaves: Readonly<Record<string, string>>;
}

const auth = Buffer.from(`robot:${["Qx7pL2", "vN9"].join("-")}`).toString("base64");
const config = JSON.stringify({ auths: { "other.example.org": { auth } } });

const vaultPassword = crypto.randomUUID();
const varsFile = `# ours
docker_login_registries:
- registry: nvcr.io
  username: '$oauthtoken'
  password: ${crypto.randomUUID()}
- registry: docker.io
  username: robot
  password: ${crypto.randomUUID()}
`;

const walks: Readonly<Record<string, Walk>> = {
  "from-deepops-docker-login.md": {
    registries: ["nvcr.io", "docker.io"],
    files: {
      "deepops/config/docker-login.yml": sealAnsibleVault(new Secret(varsFile), {
        label: "ops",
        password: new Secret(vaultPassword),
      }),
      ".vault-password": vaultPassword,
      "old/.credentials": "machine auth.docker.io login robot password x\n",
    },
    codes: { "wharf doctor": 3 },
    leaves: {
      "ansible/.docker/config.json": '"auths"',
      "k8s/default/regcred.yaml": ".dockerconfigjson",
      ".config/enroot/.credentials": "machine 127.0.0.1 login",
      ".apptainer/docker-config.json": '"auths"',
      "deepops/config/docker-login.yml": "$ANSIBLE_VAULT;1.2;AES256;ops\n",
    },
  },
  "from-quest-singularity.md": {
    registries: ["nvcr.io", "registry.example.org"],
    files: {
      "old-recipe.def": `Bootstrap: docker\nUsername: robot\nPassword: ${"Qx7pL2vN9"}\nRegistry: old.example.org\nFrom: team/app:1\n`,
      "job.sh": "#!/bin/sh\nexport SINGULARITY_DOCKER_USERNAME=robot\n",
    },
    codes: { "wharf doctor": 3, "wharf why": 0 },
    leaves: { ".apptainer/docker-config.json": '"auths"' },
  },
  "from-runai-docker-registry.md": {
    registries: ["docker.io", "eu.gcr.io"],
    files: {
      "secret.yaml": `apiVersion: v1\nkind: Secret\nmetadata:\n  name: gcr\n  labels:\n  runai/cluster-wide: "true"\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: ${Buffer.from(JSON.stringify({ "https://other.example.org": { auth } })).toString("base64")}\n`,
      "setup.sh":
        "kubectl create secret docker-registry pull \\ \n  --docker-username=robot --docker-password=x\n",
    },
    codes: { "wharf doctor secret.yaml setup.sh": 3 },
    leaves: {
      "k8s/runai/site-registries.yaml": 'run.ai/cluster-wide: "true"',
      "k8s/runai-vision/serviceaccount-default.yaml": "imagePullSecrets",
      "secret.yaml": "run.ai/resource",
    },
  },
  "from-eidf-ecir.md": {
    registries: ["registry.example.org"],
    files: {
      ".docker/config.json": config,
      "secret.yaml":
        "kind: Secret\nmetadata: { name: a }\ntype: Opaque\nstringData: { .dockerconfigjson: '{}' }\n",
      "page.md": "# page\n",
      "job.yaml":
        "apiVersion: batch/v1\nkind: Job\nmetadata: { generateName: a-, namespace: eidf000ns }\nspec:\n  template:\n    spec:\n      containers: [{ name: a, image: registry.example.org/team/app:1 }]\n",
    },
    codes: { "wharf doctor": 3 },
    leaves: { "k8s/eidf000ns/eidfreg.yaml": ".dockerconfigjson", ".docker/config.json": "other.example.org" },
  },
  "from-opensvc-registries.md": {
    registries: ["registry.example.org"],
    files: { "config.json": config, "web.conf": "[DEFAULT]\nregistry_creds = creds-registry\n" },
    codes: { "wharf doctor": 3 },
    skipped: ["wharf serve"],
    leaves: { "ssh/root/.docker/config.json": '"auths"' },
  },
};

test("every guide from another document is walked here", () => {
  const guides = [...readTexts().keys()].filter((path) => path.startsWith("docs/guide/from-"));
  expect(guides.sort()).toEqual(
    Object.keys(walks)
      .map((name) => `docs/guide/${name}`)
      .sort(),
  );
});

for (const [name, walk] of Object.entries(walks)) {
  test(`${name} is walked from top to bottom`, async () => {
    const text = readTexts().get(`docs/guide/${name}`) ?? "";
    for (const [path, content] of Object.entries(walk.files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(home, path), content, { mode: 0o600 });
    }
    const ran: string[] = [];
    for (const [, language = "", block = ""] of text.matchAll(/```(sh|yaml)\n([\s\S]*?)```/g)) {
      if (language === "yaml") addDeliveries(block);
      else
        for (const line of block.split("\n").filter((one) => one.startsWith("wharf "))) {
          if (walk.skipped?.some((start) => line.startsWith(start)) === true) continue;
          ran.push(await runLine(line, walk));
        }
    }
    expect(ran.length).toBeGreaterThan(4);
    for (const [path, part] of Object.entries(walk.leaves)) {
      expect({ path, there: existsSync(join(home, path)) }).toEqual({ path, there: true });
      expect(readFileSync(join(home, path), "utf8")).toContain(part);
    }
  }, 60_000);
}

/** Places that are not here become folders; their files are the same. */
function addDeliveries(block: string): void {
  const path = join(home, ".config/wharf/wharf.yaml");
  const lines = block
    .split("\n")
    .filter((line) => line.startsWith("  - "))
    .map((line) =>
      line
        .replace(/"k8s:\/\/[^"]*"/, '"folder:~/k8s"')
        .replace(/"ssh:\/\/[^"]*"/, '"folder:~/ssh"')
        .replace(/"ansible:\/\/[^"]*", sudo: true/, '"folder:~/ansible"'),
    );
  expect(lines.length).toBeGreaterThan(0);
  const before = readFileSync(path, "utf8");
  appendFileSync(path, `${before.includes("deliver:") ? "" : "deliver:\n"}${lines.join("\n")}\n`);
}

async function runLine(line: string, walk: Walk): Promise<string> {
  const command = line.split("|")[0] ?? "";
  const [before = ""] = command.split(" < ");
  const words = [...before.matchAll(/'([^']*)'|(\S+)/g)]
    .map(([, quoted, plain]) => quoted ?? plain ?? "")
    .slice(1);
  const named = words.findIndex((word) => walk.registries.includes(word.split("/")[0] ?? ""));
  const index = walk.registries.indexOf(words[named]?.split("/")[0] ?? "");
  const server = servers[index] ?? servers[0];
  if (server === undefined) throw new Error("there is no server");
  const args = words.map((word, at) =>
    at === named ? word.replace(walk.registries[index] ?? "", server.address) : word,
  );
  if (args[0] === "login") {
    args[args.indexOf("-u") + 1] = server.admin.username;
    if (!args.includes("--as"))
      args.push("--as", proposeName(walk.registries[index] ?? "", undefined, new Set()));
  }
  const { code, out, err } = await runCli(args, {
    cwd: home,
    env: { HOME: home, PATH: join(home, "bin") },
    input: server.admin.secret,
  });
  const expected = Object.entries(walk.codes ?? {}).find(([start]) => line.startsWith(start))?.[1] ?? 0;
  expect({ line, code, said: code === expected ? "" : out + err }).toEqual({
    line,
    code: expected,
    said: "",
  });
  return line;
}
