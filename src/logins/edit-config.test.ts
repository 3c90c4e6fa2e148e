import { expect, test } from "bun:test";
import fc from "fast-check";
import { parse } from "yaml";
import { addDeliveries, EMPTY_CONFIG, removeLogin, writeLogin } from "./edit-config.ts";

const NEW = { registry: "r.example/team", username: "robot" };
const LINES = "  new:\n    registry: r.example/team\n    username: robot\n";

test("a first login, a further one, and none: what is there stays", () => {
  expect(writeLogin("", "new", NEW)).toBe(EMPTY_CONFIG.replace("logins: {}\n", `logins:\n${LINES}`));
  expect(writeLogin("version: 1\n", "new", NEW)).toBe(`version: 1\nlogins:\n${LINES}`);
  expect(writeLogin("version: 1\nlogins:   # mine\ndeliver: []\n", "new", NEW)).toBe(
    `version: 1\nlogins:   # mine\n${LINES}deliver: []\n`,
  );
  const one =
    "version: 1\nlogins:\n  a: {registry:   a.example,username: 'x'} # odd\n\n  # about deliveries\ndeliver:   []";
  expect(writeLogin(one, "new", NEW)).toBe(one.replace("# odd\n", `# odd\n${LINES}`));
});

test("the indentation and the line ends of the file are kept", () => {
  const text = "version: 1\r\nlogins:\r\n    a:\r\n        registry: a.example\r\n        username: x\r\n";
  expect(writeLogin(text, "new", NEW)).toBe(
    `${text}    new:\r\n      registry: r.example/team\r\n      username: robot\r\n`,
  );
});

test("a known login changes where it changes, and its password goes to the vault", () => {
  const text = `version: 1
logins:
  a:
    # who gave it
    registry: "r.example/team"   # the team's
    username: old                # was mine
    password:
      env: A_TOKEN
    expires: 2027-01-01
  b: { registry: b.example, username: u, password: { env: B }, expires: 2027-01-01 }
`;
  expect(writeLogin(text, "a", { ...NEW, expires: "2028-01-01" })).toBe(
    text
      .replace("old  ", "robot  ")
      .replace("    password:\n      env: A_TOKEN\n", "")
      .replace("expires: 2027-01-01\n", "expires: 2028-01-01\n"),
  );
  expect(writeLogin(text, "b", { registry: "b.example", username: "u", plainHttp: true })).toBe(
    text.replace(", password: { env: B }, expires: 2027-01-01 }", ", plain-http: true }"),
  );
});

test("a login goes with its lines alone, and from deliveries", () => {
  const text = `version: 1
logins:
  # first
  a: { registry: a.example, username: u }
  # second
  b:
    registry: b.example
    username: u   # me
  c: { registry: c.example, username: u }
deliver:
  - { to: docker, at: local, logins: [ a,  b, c ] }   # all
  - { to: podman, at: local, logins: [b] }
  - to: enroot
    users:
      ann: [b]
      bob:   [c, b]
`;
  expect(removeLogin(text, "b")).toBe(
    text
      .replace("  b:\n    registry: b.example\n    username: u   # me\n", "")
      .replace("[ a,  b, c ]", "[ a, c ]")
      .replace("  - { to: podman, at: local, logins: [b] }\n", "")
      .replace("ann: [b]", "ann: []")
      .replace("[c, b]", "[c]"),
  );
  expect(removeLogin(text, "nope")).toBe(text);
  expect(removeLogin("version: 1\nlogins:\n  a: { registry: a.example, username: u }\n# end\n", "a")).toBe(
    "version: 1\nlogins: {}\n# end\n",
  );
});

test("deliveries are added one line each", () => {
  const items = [{ to: "docker", at: "local" }];
  expect(addDeliveries("version: 1\nlogins: {}\n", items)).toBe(
    "version: 1\nlogins: {}\ndeliver:\n  - { to: docker, at: local }\n",
  );
  expect(addDeliveries("version: 1\ndeliver:\n- { to: podman }  # x\nlogins: {}\n", items)).toBe(
    "version: 1\ndeliver:\n- { to: podman }  # x\n- { to: docker, at: local }\nlogins: {}\n",
  );
  expect(addDeliveries("version: 1\ndeliver: [] # none yet\n", items)).toBe(
    "version: 1\ndeliver: # none yet\n  - { to: docker, at: local }\n",
  );
});

const name = fc.constantFrom("a", "b", "c-1", "x.y");
const comment = fc.constantFrom("", "   # why", " # ä");
const style = fc.constantFrom("block", "flow");
const login = fc.tuple(name, comment, style, fc.boolean()).map(([key, note, form, secret]) => {
  const source = secret ? (form === "block" ? "    password: { env: X }\n" : ", password: { env: X }") : "";
  return form === "block"
    ? {
        key,
        text: `  # before ${key}\n  ${key}:${note}\n    registry: ${key}.example${note}\n    username: u\n${source}`,
      }
    : { key, text: `  ${key}: {registry: ${key}.example,  username: "u"${source}}${note}\n\n` };
});
const file = fc
  .tuple(
    fc.uniqueArray(login, { selector: (one) => one.key, maxLength: 4 }),
    fc.array(fc.tuple(fc.subarray(["a", "b", "c-1"], { minLength: 1 }), comment), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([logins, deliveries, crlf]) => {
    const text = [
      "# head\nversion:  1\n",
      logins.length === 0 ? "logins: {}  # none\n" : `logins:\n${logins.map((one) => one.text).join("")}`,
      ...(deliveries.length === 0 ? [] : ["# where\ndeliver:\n"]),
      ...deliveries.map(
        ([names, note], index) => `  - { to: docker${index}, logins: [${names.join(", ")}] }${note}\n`,
      ),
      "# end\n",
    ].join("");
    return crlf ? text.replaceAll("\n", "\r\n") : text;
  });

function comments(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => /#.*/.exec(line)?.[0] ?? []);
}

test("whatever is added: the rest means the same, and every line that was there is there, in order", () => {
  fc.assert(
    fc.property(file, name, (text, key) => {
      const after = writeLogin(text, key, NEW);
      const expected = parse(text);
      const { password: _, ...known } = expected.logins[key] ?? {};
      expected.logins = { ...expected.logins, [key]: { ...known, ...NEW } };
      expect(parse(after)).toEqual(expected);
      expect(comments(after)).toEqual(comments(text));
      expect(writeLogin(after, key, NEW)).toBe(after);
    }),
    { seed: 7, numRuns: 120 },
  );
}, 30_000);

test("whatever is removed: the rest means the same, no comment of another line is lost, and adding it back is an edit again", () => {
  fc.assert(
    fc.property(file, name, (text, key) => {
      const before = parse(text);
      const after = parse(removeLogin(text, key));
      const { [key]: _, ...rest } = before.logins;
      expect(after.logins).toEqual(rest);
      for (const delivery of after.deliver ?? []) expect(delivery.logins).not.toContain(key);
      if (before.logins[key] === undefined && !JSON.stringify(before.deliver ?? []).includes(`"${key}"`))
        expect(removeLogin(text, key)).toBe(text);
      const kept = comments(removeLogin(text, key));
      expect(kept).toContain("# head");
      expect(kept).toContain("# end");
    }),
    { seed: 7, numRuns: 120 },
  );
}, 30_000);
