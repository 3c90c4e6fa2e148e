import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError, Secret } from "#core";
import {
  openAnsibleVault,
  openVars,
  parseVars,
  readRegistryList,
  readValue,
  readVar,
  sealAnsibleVault,
  type VaultPassword,
} from "./index.ts";

const parameters = { seed: 4, numRuns: 60 };
const WORD = crypto.randomUUID();
const password: VaultPassword = { label: undefined, password: new Secret(WORD) };
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
  return "none";
};

test("any text comes back from the vault, under any password and label", () => {
  const label = fc.option(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/), { nil: undefined });
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ minLength: 1 }), label, (text, word, name) => {
      const by = { label: name, password: new Secret(word) };
      const sealed = sealAnsibleVault(new Secret(text), by);
      expect(sealed.split("\n").every((line) => line.length <= 80)).toBe(true);
      const opened = openAnsibleVault(sealed, [password, by], "f");
      expect([opened.clear.reveal(), opened.label]).toEqual([text, name === "default" ? undefined : name]);
      expect(opened.by).toBe(by);
    }),
    parameters,
  );
});

test("a changed character is refused, and is never another clear text", () => {
  const sealed = sealAnsibleVault(new Secret("docker_login_registries: []\n"), password);
  fc.assert(
    fc.property(
      fc.nat(sealed.length - 2),
      fc.constantFrom(..."0123456789abcdef;\n x".split("")),
      (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
        if (changed === sealed) return;
        let opened: string | undefined;
        const code = codeOf(() => {
          opened = openAnsibleVault(changed, [password], "f").clear.reveal();
        });
        // What is white space to Ansible is to us too.
        if (code === "none") expect(opened).toBe("docker_login_registries: []\n");
        else expect(["FILE_INVALID", "SECRET_UNAVAILABLE"]).toContain(code);
      },
    ),
    { ...parameters, numRuns: 150 },
  );
});

test("no bytes make it throw anything else", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `$ANSIBLE_VAULT;1.1;AES256\n${rest}`),
    fc.stringMatching(/^[0-9a-f\n]{0,400}$/).map((rest) => `$ANSIBLE_VAULT;1.2;AES256;ops\n${rest}`),
  );
  fc.assert(
    fc.property(text, (found) => {
      expect(["FILE_INVALID", "SECRET_UNAVAILABLE"]).toContain(
        codeOf(() => openAnsibleVault(found, [password], "f")),
      );
    }),
    { ...parameters, numRuns: 500 },
  );
  expect(
    codeOf(() => openAnsibleVault(`$ANSIBLE_VAULT;1.1;AES256\n${"0".repeat(17e6)}`, [password], "f")),
  ).toBe("TOO_LARGE");
});

test.each([
  ["$ANSIBLE_VAULT;1.0;AES\n00", "FILE_INVALID"],
  ["$ANSIBLE_VAULT;1.2;AES256\n00", "FILE_INVALID"],
  ["$ANSIBLE_VAULT;1.1;AES256;x\n00", "FILE_INVALID"],
])("a header that is not used is refused: %s", (text, code) => {
  expect(codeOf(() => openAnsibleVault(text, [password], "f"))).toBe(code);
});

test("what cannot be sealed, or opened, says so and shows no password", () => {
  expect(codeOf(() => sealAnsibleVault(new Secret("x"), { ...password, password: new Secret("") }))).toBe(
    "INVALID_INPUT",
  );
  expect(codeOf(() => sealAnsibleVault(new Secret("x"), { ...password, label: "a;b" }))).toBe(
    "INVALID_INPUT",
  );
  const sealed = sealAnsibleVault(new Secret("x"), { ...password, label: "ops" });
  const other = { label: "ops", password: new Secret(crypto.randomUUID()) };
  expect(() => openAnsibleVault(sealed, [other], "f")).toThrow(/names the vault-id "ops"/);
  expect(() => openAnsibleVault(sealed, [], "f")).toThrow(/no password was given/);
});

function listed(text: string): readonly unknown[] {
  const { clear } = openVars(text, [password], "f");
  const list = readRegistryList(parseVars(clear, "f"), [password]);
  const shown = (value: ReturnType<typeof readValue>): string =>
    value.kind === "text" ? value.text.reveal() : `? ${value.why}`;
  return (
    list?.entries.map(({ registry, username, password: word }) => [registry, shown(username), shown(word)]) ??
    []
  );
}

test("DeepOps' list, plain, whole in Vault and value by value", () => {
  const word = "a'b\"c{{ d #$e";
  const plain = `---\n# ours\ndocker_login_registries:\n- registry: nvcr.io\n  username: '$oauthtoken'\n  password: !unsafe "${word.replaceAll('"', '\\"')}"\n`;
  expect(listed(plain)).toEqual([["nvcr.io", "$oauthtoken", word]]);
  expect(listed(sealAnsibleVault(new Secret(plain), password))).toEqual([["nvcr.io", "$oauthtoken", word]]);
  const inline = sealAnsibleVault(new Secret(word), password).trimEnd().replaceAll("\n", "\n    ");
  expect(listed(`docker_login_registries:\n- username: u\n  password: !vault |\n    ${inline}\n`)).toEqual([
    [undefined, "u", word],
  ]);
  expect(
    listed("vault_word: abc\ndocker_login_registries: [{username: u, password: '{{ vault_word }}'}]"),
  ).toEqual([[undefined, "u", "abc"]]);
});

test.each([
  ["0123", /number/],
  ["yes", /truth/],
  ['\'{{ lookup("env", "X") }}\'', /template/],
  ["'{{ password }}'", /template/],
  ["[a]", /no text/],
])("a value that Ansible makes into something else is not taken for a text: %s", (written, why) => {
  const vars = parseVars(new Secret(`a: ${written}\n`), "f");
  const value = readValue(vars, readVar(vars, ["a"]), []);
  expect(value.kind === "unknown" ? value.why : "text").toMatch(why);
});

test("variables that refer to each other without end", () => {
  const vars = parseVars(new Secret("a: '{{ b }}'\nb: '{{ a }}'\n"), "f");
  expect(readValue(vars, readVar(vars, ["a"]), [])).toMatchObject({ kind: "unknown" });
});

test("faults name their line and not what stands there", () => {
  const word = crypto.randomUUID();
  for (const text of [`a: b\nc: [${word}`, `- ${word}`, `a: "${word}`])
    try {
      parseVars(new Secret(text), "f");
      throw new Error("it was taken");
    } catch (error) {
      expect(isAppError(error, "FILE_INVALID")).toBe(true);
      expect(String(error)).not.toContain(word);
    }
  expect(
    codeOf(() => readRegistryList(parseVars(new Secret("docker_login_registries: '{{ x }}'"), "f"), [])),
  ).toBe("FILE_INVALID");
});
