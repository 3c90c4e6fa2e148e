import { expect, test } from "bun:test";
import fc from "fast-check";
import { isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";
import { readPlainYaml } from "./plain-yaml.ts";

const USUAL = `# logins of the site: ünïcode in a comment
version: 1
logins:
  ngc:
    registry: nvcr.io
    username: $oauthtoken              # the secret comes from the vault
  hub: { registry: docker.io, username: acme-pull, password: { env: HUB_TOKEN } }

  team-a:
    registry: "registry.example.ac.uk:5000/team-a"
    username: 'robot-team-a-pull'
    expires: 2027-03-01
    plain-http: true
    realm-hosts: [auth.example.ac.uk, 10.0.0.5]
    password: { command: [pass, show, "a b"] }
deliver:
  - { to: docker, at: "ssh://gpu[01-64]", logins: [ngc, hub] }
  - to: enroot
    at: ssh://login1:2222
    users:
      alice: [ngc]
      bob: []
  - { to: apptainer, at: folder:/srv/root, labels: {} }
  -   to: podman
      at: local
tail:
- one: 1
  two: 2
- two
`;

/** What is asked of a node: kind, value, where it begins. */
function shape(node: unknown): unknown {
  const at = (node as Node | null)?.range?.[0];
  if (isScalar(node)) return [at, node.value];
  if (isSeq(node)) return [at, "list", node.flow === true, node.items.map(shape)];
  if (isMap(node))
    return [at, "map", node.flow === true, node.items.map(({ key, value }) => [shape(key), shape(value)])];
  return [at, node];
}

/** As the library reads it; undefined where it finds a fault. */
function libraryShape(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, logLevel: "silent" });
  return document.errors.length > 0 ? undefined : shape(document.contents);
}

test("a usual wharf.yaml is read, as the library reads it", () => {
  expect(shape(readPlainYaml(USUAL))).toEqual(libraryShape(USUAL));
  expect(readPlainYaml(USUAL)?.toJSON()).toEqual(parseDocument(USUAL).toJSON());
});

test("what is wrong or unusual is left to the library", () => {
  for (const text of [
    "",
    "# nothing\n",
    " version: 1\n",
    "- a\n",
    "a: 1\na: 2\n",
    "a: &x 1\n",
    "a: *x\n",
    "a: !!str 1\n",
    "a: |\n  text\n",
    "a: one word more\n",
    "a: one\n  more\n",
    "a:\n",
    "a: 0x1f\n",
    "a: 1e3\n",
    "a: 012\n",
    "a: .5\n",
    "a: null\n",
    "a: ~\n",
    "a: True\n",
    "true: a\n",
    "a: b: c\n",
    "a: 'it''s'\n",
    'a: "\\u0041"\n',
    "a: {b: 1, c}\n",
    "a: [b: 1]\n",
    "a: [1,\n  2]\n",
    "a: {b:1}\n",
    "a: b#c\n",
    "a: [b]#c\n",
    "a:\tb\n",
    "a: b\r\n",
    "a: ü\n",
    "---\na: b\n",
    "a: b\n...\n",
    "a:\n   b: c\n  d: e\n",
    `a: ${"[".repeat(9)}${"]".repeat(9)}\n`,
  ])
    expect([text, readPlainYaml(text)]).toEqual([text, undefined]);
});

/** Changes here and there: what people mistype, and what YAML has a meaning for. */
const change = fc.record({
  at: fc.nat(USUAL.length),
  cut: fc.nat(4),
  put: fc.oneof(
    fc.constantFrom(
      ...Array.from("\n :-#[]{},'\"&*!|>%@`?~$0a.\t\\"),
      "\n  ",
      ": ",
      " #",
      "- ",
      "null",
      "---\n",
      "\n\n",
      "1e3",
      "key: ",
      "ü",
    ),
    fc.string({ maxLength: 3 }),
  ),
});

test("whatever this reader takes, the library reads to the same values at the same places", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let text = USUAL;
      for (const { at, cut, put } of changes) text = text.slice(0, at) + put + text.slice(at + cut);
      const found = readPlainYaml(text);
      if (found === undefined) return;
      taken++;
      expect([text, shape(found)]).toEqual([text, libraryShape(text)]);
    }),
    { numRuns: 3000, seed: 4 },
  );
  // Else the property would say nothing.
  expect(taken).toBeGreaterThan(300);
});
