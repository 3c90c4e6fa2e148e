/**
 * The files that we write for other programs, to be read by people: `test/golden/CONSUMER/`. `new` is what stands in an empty place, `after`
 * what `before` becomes, `messages` what is said. Secrets are made at run time and stand as markers. UPDATE_GOLDEN=1 writes them anew.
 */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConsumerLogin, consumers, type FileDocument, type Target } from "#consumers";
import { Secret } from "#core";

const root = join(import.meta.dir, "..", "golden");
const update = process.env["UPDATE_GOLDEN"] === "1";

const words: Readonly<Record<string, string>> = {
  hub: crypto.randomUUID(),
  // A leading $ is what enroot would give to a shell.
  ngc: `$${crypto.randomUUID()}`,
  "team-a": crypto.randomUUID(),
  site: crypto.randomUUID(),
  theirs: crypto.randomUUID(),
};
const usernames: Readonly<Record<string, string>> = {
  hub: "acme-pull",
  ngc: "$oauthtoken",
  "team-a": "robot$team-a+pull",
  site: "robot-site-nodes",
  theirs: "somebody",
};
const scopes: readonly (readonly [string, string, string | undefined])[] = [
  ["hub", "docker.io", undefined],
  ["ngc", "nvcr.io", undefined],
  ["team-a", "registry.example.ac.uk", "team-a"],
  ["site", "registry.site.example:5000", undefined],
];
const logins: readonly ConsumerLogin[] = scopes.map(([name, registry, path]) => ({
  name,
  registry,
  path,
  username: usernames[name] ?? "",
  secret: new Secret(words[name] ?? ""),
  realmHosts: name === "team-a" ? ["tokens.example.ac.uk"] : [],
}));
const target: Target = {
  home: "/home/alice",
  user: "alice",
  uid: 1000,
  env: {},
  versions: { curl: "8.5.0" },
};
/** Options of the delivery that the files are made for. */
const options: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  kubernetes: { namespace: "ml", "service-accounts": ["default"], kustomization: true },
  opensvc: {
    scope: "namespace",
    namespace: "myns",
    name: "creds-site",
    version: 2,
    services: ["web", "api/container#1"],
  },
  runai: { scope: "project", projects: ["vision"], name: "site-registries" },
};

function filled(text: string): string {
  return text
    .replace(/\{\{auth:([a-z-]+)\}\}/g, (_, name: string) => authOf(name))
    .replace(/\{\{secret:([a-z-]+)\}\}/g, (_, name: string) => words[name] ?? "")
    .replace(/\{\{base64:(.*)\}\}$/gm, (_, inner: string) => Buffer.from(inner).toString("base64"));
}

function marked(text: string): string {
  let shown = text.replace(/(?<=^ {2}\.dockerconfigjson: )\S+/gm, (value) => {
    return `{{base64:${Buffer.from(value, "base64").toString()}}}`;
  });
  for (const name of Object.keys(words)) {
    shown = shown.replaceAll(authOf(name), () => `{{auth:${name}}}`);
    shown = shown.replaceAll(words[name] ?? "", () => `{{secret:${name}}}`);
  }
  return shown;
}

function authOf(name: string): string {
  return Buffer.from(`${usernames[name]}:${words[name]}`).toString("base64");
}

function expectGolden(consumer: string, file: string, text: string): void {
  const path = join(root, consumer, file);
  for (const word of Object.values(words)) expect(text).not.toContain(word);
  if (update) {
    mkdirSync(join(root, consumer), { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, "utf8"));
}

function extension(document: FileDocument): string {
  return /\.(json|toml|ya?ml)$/.exec(document.path)?.[0] ?? ".txt";
}

for (const consumer of consumers) {
  test(`golden files of ${consumer.name}`, () => {
    const compiled = consumer.compile(logins, { ...target, options: options[consumer.name] ?? {} });
    const [document] = compiled.documents;
    if (document === undefined) throw new Error("nothing was compiled");
    const fresh = consumer.merge(undefined, document, new Set());
    expectGolden(
      consumer.name,
      `new${extension(document)}`,
      marked(Buffer.from(fresh.content ?? "").toString()),
    );

    // What tells other programs of it: a drop-in, a ServiceAccount, a kustomization.
    for (const beside of compiled.documents.slice(1)) {
      const file = beside.path.split("/").slice(-2).join("-");
      const there = join(root, consumer.name, `before-${file}`);
      const current = existsSync(there) ? readFileSync(there) : undefined;
      const content = consumer.merge(current, beside, new Set()).content ?? Buffer.of();
      expectGolden(consumer.name, `beside-${file}`, Buffer.from(content).toString());
    }

    const beforePath = join(root, consumer.name, `before${extension(document)}`);
    expect(existsSync(beforePath)).toBe(true);
    const before = filled(readFileSync(beforePath, "utf8"));
    const merged = consumer.merge(Buffer.from(before), document, new Set());
    expectGolden(
      consumer.name,
      `after${extension(document)}`,
      marked(Buffer.from(merged.content ?? "").toString()),
    );

    const said = [
      `path: ${document.path}`,
      ...compiled.refusals.map(
        (refusal) => `refused ${refusal.login}: ${refusal.reason}; ${refusal.hint ?? ""}`,
      ),
      ...[...compiled.warnings, ...merged.warnings].map(
        (warning) =>
          `${warning.kind}: ${warning.login === undefined ? "" : `${warning.login}: `}${warning.message}`,
      ),
      ...merged.changes.map((change) => `${change.action}: ${change.key}`),
      ...merged.refusals.map((refusal) => `left out ${refusal.login}: ${refusal.reason}`),
    ];
    expectGolden(consumer.name, "messages.txt", `${said.join("\n")}\n`);
  });
}
