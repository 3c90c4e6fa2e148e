/** Whatever the bytes: nothing throws, mending ends and is done once, and no secret of a file is in what is said of it. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { findFaults } from "./find-faults.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { lineChanges } from "./line-changes.ts";
import { mendText } from "./mend-text.ts";

const SEED = 20261122;
const runs = { seed: SEED, numRuns: 400 };
const paths = [
  "config.json",
  "auth.json",
  "secret.yaml",
  ".credentials",
  "app.def",
  "page.md",
  "make.sh",
  "config.toml",
  "registries.yaml",
  "vars.yml",
];

/** Pieces of all kinds of files, in any order: nearer to what the rules look for than bytes by chance. */
const piece = fc.constantFrom(
  '{"auths": {',
  '"docker.io": {"auth": "',
  '"}}',
  "}",
  '"',
  "machine a.example.org login a password ",
  "machine nvcr.io:443 ",
  "\n",
  " ",
  "\t",
  "kind: Secret\n",
  "metadata:\n",
  "  labels:\n",
  "data:\n  .dockerconfigjson: ",
  "configs:\n  docker.io:\n    auth: ",
  "From: Docker\n",
  "Password: x\n",
  "Bootstrap: docker\n",
  "docker login -u '$oauthtoken' -p ",
  "| base64",
  "\\ \n",
  "```\n",
  "::\n\n    ",
  "version = 3\n[plugins.",
  "docker_login_registries:\n- registry: docker.io\n",
  "$(",
  "'",
  "&a *a",
  "registry_creds = a\n",
  'setenv("DOCKER_PASSWORD", "',
  "eyJhdXRocyI6e30",
);

test("nothing throws, and mending ends in a file that is not mended again", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: piece }, fc.string()), { maxLength: 25 }),
      fc.constantFrom(...paths),
      (pieces, path) => {
        const bytes = Buffer.from(pieces.join(""));
        findFaults({ path, bytes, mode: 0o644 });
        const mended = mendText({ path, bytes });
        expect(Buffer.from(mendText({ path, bytes: mended.bytes }).bytes).toString()).toBe(
          Buffer.from(mended.bytes).toString(),
        );
      },
    ),
    runs,
  );
}, 60_000);

test("bytes that are no text hold no mistakes", () => {
  expect(findFaults({ path: "config.json", bytes: new Uint8Array([0x7b, 0xff, 0x7d]) })).toEqual([]);
  expect(findFaults({ path: "config.json", bytes: new Uint8Array(5 * 1024 * 1024).fill(0x20) })).toEqual([]);
});

test("large files of any shape are read in a time that grows with their size", () => {
  const size = 128 * 1024;
  for (const unit of [
    "\n",
    " ",
    "A",
    "A\n",
    "{",
    '"',
    "\\\n",
    "machine a ",
    "machine a\n",
    "``` ",
    "- ",
    "|",
    "$(",
    "'",
    "x:: \n\n  a\n",
    '{"a":',
    "[",
    "&a ",
    "<",
  ])
    for (const path of ["page.md", "make.sh"]) {
      const start = performance.now();
      findFaults({ path, bytes: Buffer.from(unit.repeat(size / unit.length)) });
      // Quadratic work on these would take minutes.
      expect({ unit, path, quick: performance.now() - start < 20_000 }).toEqual({ unit, path, quick: true });
    }
}, 120_000);

/** Secrets as people have them: no blanks, no quotes, and long enough to be told from names. */
const secret = fc.stringMatching(/^[A-Za-z][A-Za-z0-9!%*+~^-]{11,30}$/).map((text) => `cnry${text}`);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A file with this secret in it and something to find, of each kind. */
function filesWith(canary: string): readonly (readonly [string, string])[] {
  const inner = JSON.stringify({ auths: { "registry-1.docker.io": { username: "a", password: canary } } });
  return [
    ["config.json", JSON.stringify({ auths: { "docker.io": { auth: base64(`a:${canary}\n`) } } }, null, 2)],
    ["auth.json", JSON.stringify({ auths: { "a.example.org/": { username: "a", password: canary } } })],
    ["bare.json", JSON.stringify({ "a.example.org": { auth: base64(`a:${canary}`) } })],
    ["broken.json", `{"auths": {"a.example.org": {"auth": "${base64(`a:${canary}`)}"`],
    ["plain.json", JSON.stringify({ auths: { "a.example.org": { auth: `a:${canary}` } } })],
    [
      "secret.yaml",
      `kind: Secret\nmetadata:\n  name: a\n  labels:\n  team: ml\ntype: Opaque\ndata:\n  .dockerconfigjson: ${base64(inner).replace(/(.{60})/g, "$1\n    ")}\n`,
    ],
    ["clear.yaml", `kind: Secret\nmetadata: { name: a }\nstringData:\n  .dockerconfigjson: '${inner}'\n`],
    [
      ".credentials",
      `  machine nvcr.io:443 login \\$oauthtoken password ${canary}\nmachine b password ${canary} login x\n`,
    ],
    ["app.def", `From: Docker\nUsername: a\nPassword: ${canary}\nFrom: team/app:1\n`],
    [
      "registries.yaml",
      `configs:\n  docker.io:\n    auth: {username: a, password: ${canary}}\n  b.example.org:\n    auth:\n      identitytoken: ${canary}\n`,
    ],
    [
      "config.toml",
      `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.configs."docker.io".auth]\npassword = "${canary}"\n`,
    ],
    ["vars.yml", `docker_login_registries:\n- registry: docker.io\n  username: a\n  password: ${canary}\n`],
    [
      "make.sh",
      `docker login -u a -p ${canary} a.example.org\nexport SINGULARITY_DOCKER_PASSWORD=${canary}\nskopeo copy --creds a:${canary} x\necho "a:${canary}" | base64\nkubectl create secret docker-registry x --docker-password=${canary} \\ \n  -n a\n`,
    ],
    ["page.md", `# x\n\n\`\`\`\n${base64(inner)}\n\`\`\`\n\n    docker login -p ${canary} a.example.org\n`],
  ];
}

test("no secret is in a finding, in the words of a mending or in the lines that it shows", () => {
  fc.assert(
    fc.property(secret, (canary) => {
      for (const [path, text] of filesWith(canary)) {
        const bytes = Buffer.from(text);
        const mended = mendText({ path, bytes });
        const changes = lineChanges(text, new TextDecoder().decode(mended.bytes));
        const said = JSON.stringify([
          findFaults({ path, bytes, mode: 0o644 }),
          mended.done.map(({ says }) => says),
          changes,
        ]);
        expect({ path, faults: findFaults({ path, bytes }).length > 0 }).toEqual({ path, faults: true });
        for (const form of [
          canary,
          base64(`a:${canary}`),
          base64(`a:${canary}\n`),
          base64(`$oauthtoken:${canary}`),
        ])
          expect({ path, leaks: said.includes(form) }).toEqual({ path, leaks: false });
        // A piece of the encoded secret is as good as the secret.
        expect({ path, leaks: said.includes(base64(inner(canary)).slice(80, 110)) }).toEqual({
          path,
          leaks: false,
        });
      }
    }),
    { ...runs, numRuns: 20 },
  );
}, 60_000);

function inner(canary: string): string {
  return JSON.stringify({ auths: { "registry-1.docker.io": { username: "a", password: canary } } });
}

test("what is shown keeps its shape", () => {
  expect(hideSecrets('  "auth": "YTpi",')).toBe('  "auth": "[secret]",');
  expect(hideSecrets("machine a.example.org login a password b c")).toBe(
    "machine a.example.org login a password [secret]",
  );
  expect(hideSecrets("    auth: {username: a, password: b}")).toBe(
    "    auth: {username: a, password: [secret]}",
  );
  expect(hideSecrets('"https://index.docker.io/v1/": {')).toBe('"https://index.docker.io/v1/": {');
});
