/** What is found in a file is what was written into it, whatever the secret; and bytes by chance give no fault and say no secret. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Secret } from "#core";
import { findLogins } from "./find-logins.ts";

const runs = { seed: 20261122, numRuns: 200 };
const find = (path: string, text: string) =>
  findLogins({ path, bytes: Buffer.from(text), vaultPasswords: [] });
const pair = (user: string, secret: string): string => Buffer.from(`${user}:${secret}`).toString("base64");

/** As registries make them: no blanks, and nothing that a person would write for a placeholder. */
const secret = fc.stringMatching(/^[A-Za-z0-9!#%&()*+,./:;=?@^_`|~-]{8,60}$/).map((text) => `S${text}9`);
const user = fc.constantFrom("robot", "$oauthtoken", "robot$team+ci", "me@example.org", "_json_key");

function secretsOf(path: string, text: string): string[][] {
  return (find(path, text)?.logins ?? []).map(({ registry, username, secret: held }) => [
    registry,
    username,
    held instanceof Secret ? held.reveal() : "(file)",
  ]);
}

test("any secret comes out of each form as it went in", () => {
  fc.assert(
    fc.property(user, secret, (name, value) => {
      fc.pre(!/\.\.\./.test(value));
      const expected = [["a.example.org", name, value]];
      const auths = JSON.stringify({ auths: { "a.example.org": { auth: pair(name, value) } } });
      const encoded = Buffer.from(auths).toString("base64");
      const forms: readonly (readonly [string, string])[] = [
        ["config.json", auths],
        [
          "auth.json",
          JSON.stringify({ auths: { "https://a.example.org/": { username: name, password: value } } }),
        ],
        ["bare.json", JSON.stringify({ "https://a.example.org/v1/": { auth: pair(name, value) } })],
        ["unpadded.json", auths.replace(/=+"/, '"')],
        ["newline.json", JSON.stringify({ auths: { "a.example.org": { auth: pair(name, `${value}\n`) } } })],
        [
          "secret.yaml",
          `kind: Secret\nmetadata:\n  name: a\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: ${encoded}\n`,
        ],
        [
          "wrapped.yaml",
          `kind: Secret\nmetadata:\n  name: a\ndata:\n  .dockerconfigjson: >-\n    ${encoded.replace(/(.{76})/g, "$1\n    ")}\n`,
        ],
        [
          "secret.json",
          JSON.stringify({
            kind: "Secret",
            metadata: { name: "a" },
            stringData: { ".dockerconfigjson": auths },
          }),
        ],
        [".credentials", `machine a.example.org login ${name} password ${value}\n`],
        [
          "registries.yaml",
          `configs:\n  a.example.org:\n    auth:\n      username: ${JSON.stringify(name)}\n      password: ${JSON.stringify(value)}\n`,
        ],
        [
          "config.toml",
          `version = 3\n[plugins."io.containerd.cri.v1.images".registry.configs."a.example.org".auth]\nauth = "${pair(name, value)}"\n`,
        ],
        [
          "vars.yml",
          `docker_login_registries:\n- registry: a.example.org\n  username: '${name}'\n  password: !unsafe '${value}'\n`,
        ],
        [
          "app.def",
          `Bootstrap: docker\nRegistry: a.example.org\nUsername: ${name}\nPassword: ${value}\nFrom: team/app:1\n`,
        ],
        ["make.sh", `docker login -u '${name}' -p '${value}' a.example.org\n`],
        ["env.sh", `export DOCKER_AUTH_CONFIG='${auths}'\n`],
        [
          "page.md",
          `Do this:\n\n\`\`\`sh\necho '${value}' | docker login -u '${name}' --password-stdin a.example.org\n\`\`\`\n`,
        ],
      ];
      for (const [path, text] of forms)
        expect({ path, found: secretsOf(path, text) }).toEqual({
          path,
          found: expected,
        });
    }),
    runs,
  );
}, 60_000);

test("no bytes throw, and what is said of a login holds no secret", () => {
  const piece = fc.constantFrom(
    '{"auths": {',
    '"docker.io": {"auth": "',
    '"}}',
    "}",
    '"',
    "machine a.example.org login a password ",
    "\n",
    " ",
    "kind: Secret\n",
    "data:\n  .dockerconfigjson: ",
    "configs:\n  docker.io:\n    auth: ",
    "From: Docker\n",
    "Password: x\n",
    "docker login -u a -p ",
    "```\n",
    "docker_login_registries:\n- registry: ",
    "$ANSIBLE_VAULT;1.1;AES256\n",
    "kubectl create secret generic --from-file=.dockerconfigjson=",
    "$(cat ",
    'version = 2\n[plugins."io.containerd',
    "cnryQx7pL2vN9",
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: piece }, fc.string()), { maxLength: 25 }),
      (pieces) => {
        const found = find("file", pieces.join(""));
        // A file that is named, or a username, may be anything; a secret is never said.
        const said = JSON.stringify(
          found?.logins.map(({ secret: held }) => (held instanceof Secret ? held : "")),
        );
        expect(said?.includes("cnryQx7pL2vN9") ?? false).toBe(false);
      },
    ),
    { ...runs, numRuns: 500 },
  );
}, 60_000);
