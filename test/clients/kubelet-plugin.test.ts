/** `wharf apply` to `kubelet-plugin`, and the kubelet's own plugin code (k8s.io/kubernetes 1.36.3) that starts what it wrote of. */
import { afterEach, beforeEach, expect } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askKubelet } from "../support/kubelet-keyring.ts";
import { needs } from "../support/programs.ts";
import { runCli } from "../support/run-cli.ts";
import { createScratch, type Scratch } from "../support/scratch.ts";

const TIMEOUT_MS = 120_000;
const withKubelet = needs("kube");
let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch("plugin");
  for (const folder of ["bin", "empty", "node/etc/kubernetes"])
    mkdirSync(scratch.at(folder), { recursive: true });
});
afterEach(() => scratch.remove());

const CONFIG = "etc/kubernetes/image-credential-providers.yaml";
const LOGINS = "etc/wharf/kubelet-logins.json";

/** The node's folder is not its root here: the path that the program is told of is another. */
function configForTest(): string {
  const path = scratch.at("providers.yaml");
  const text = readFileSync(scratch.at("node", CONFIG), "utf8");
  expect(text).toContain(`value: /${LOGINS}`);
  writeFileSync(path, text.replace(`/${LOGINS}`, scratch.at("node", LOGINS)));
  return path;
}

function deliver(word: string): ReturnType<typeof runCli> {
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1
logins:
  site: { registry: "r.example:5000", username: site, password: { env: WORD } }
  team: { registry: r.example/team, username: 'robot$team+pull', password: { env: WORD } }
  hub: { registry: docker.io, username: hub, password: { env: WORD } }
deliver:
  - { to: kubelet-plugin, at: "folder:node" }
`,
  );
  return runCli(["apply", "--yes"], { cwd: scratch.path, env: { HOME: scratch.path, WORD: word } });
}

withKubelet(
  "each image gets the login that is for it, and no other, beside the site's own plugin",
  async () => {
    const word = `a"b\\c ${crypto.randomUUID()}`;
    writeFileSync(
      scratch.at("node", CONFIG),
      `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: theirs
    matchImages: ["*.amazonaws.com", r.example]
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    defaultCacheDuration: 1m
`,
    );
    writeFileSync(
      scratch.at("bin/theirs"),
      `#!/bin/sh\ncat > /dev/null\nprintf '{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderResponse","cacheKeyType":"Registry","auth":{"r.example":{"username":"theirs","password":"p"}}}'\n`,
      { mode: 0o755 },
    );
    symlinkSync(join(import.meta.dir, "../../bin/wharf"), scratch.at("bin/wharf-kubelet-provider"));
    const applied = await deliver(word);
    expect(applied.code).toBe(0);
    const images = [
      "r.example:5000/x",
      "r.example/team/app:1",
      "r.example/team",
      "r.example/team-b/app",
      "r.example/x",
      "nginx",
      "else.example/x",
    ];
    const plugins = { config: configForTest(), folder: scratch.at("bin") };
    const [answer] = await askKubelet([{ root: scratch.at("empty"), images }], scratch.at("empty"), {
      plugins,
    });
    expect(answer?.tries.map((tries) => tries.map(({ username }) => username))).toEqual([
      ["site"],
      ["robot$team+pull", "theirs"],
      ["robot$team+pull", "theirs"],
      ["theirs"],
      ["theirs"],
      ["hub"],
      [],
    ]);
    for (const { username, password } of answer?.tries.flat() ?? [])
      expect(password).toBe(username === "theirs" ? "p" : word);
  },
  TIMEOUT_MS,
);

withKubelet(
  "a missing program keeps the kubelet from starting, which plan and apply say",
  async () => {
    const applied = await deliver("word");
    expect(applied.err).toContain("does not start where DIR has no wharf-kubelet-provider");
    const plugins = { config: configForTest(), folder: scratch.at("bin") };
    const words = await askKubelet([{ root: scratch.at("empty"), images: ["nginx"] }], scratch.at("empty"), {
      plugins,
    }).then(
      () => "it started",
      (fault: Error) => fault.message,
    );
    expect(words).toContain("did not exist");
  },
  TIMEOUT_MS,
);
