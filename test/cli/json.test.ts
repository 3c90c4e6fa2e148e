/** With --json every command prints one document and nothing else on standard output; who adds a command adds it here. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCommandTable, groups, sections } from "#cli";
import { runCli } from "../support/run-cli.ts";
import { savedImage } from "../support/saved-image.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";

/** One command of the way, in order; `input` is its standard input, `keys` are in its document. */
interface Step {
  readonly args: readonly string[];
  readonly keys: readonly string[];
  readonly input?: string;
  readonly code?: number;
  readonly env?: Readonly<Record<string, string>>;
}

let home = "";
let server: TestServer;
const documents = new Map<string, Record<string, unknown>>();

beforeAll(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "wharf-json-")));
  server = await startTestServer();
  writeFileSync(
    join(home, "kube.yaml"),
    'version: 1\nlogins:\n  a: { registry: a.example, username: robot }\ndeliver:\n  - { to: kubernetes, at: "k8s://prod", namespaces: [ml] }\n',
  );
  writeFileSync(join(home, "image.tar"), savedImage());
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

function way(): readonly Step[] {
  const { address, url, admin } = server;
  const secretOf = (command: string): string => String(documents.get(command)?.["secret"]);
  return [
    { args: ["version"], keys: ["version", "bun", "platform"] },
    { args: ["completion", "bash"], keys: ["shell", "script"] },
    { args: ["demo"], keys: ["steps"] },
    {
      args: ["sign-in", url, "-u", admin.username, "--password-stdin"],
      input: admin.secret,
      keys: ["username"],
    },
    { args: ["project", "create", "team"], keys: ["name", "visibility"] },
    { args: ["project", "list"], keys: ["items"] },
    { args: ["project", "show", "team"], keys: ["name"] },
    { args: ["project", "update", "team", "--description", "for tests"], keys: ["name"] },
    { args: ["user", "create", "alice", "--no-password"], keys: ["name"] },
    { args: ["user", "list"], keys: ["items"] },
    { args: ["user", "show", "alice"], keys: ["name"] },
    { args: ["user", "update", "alice", "--description", "a person"], keys: ["name"] },
    { args: ["user", "password", "alice", "--password-stdin"], input: "a-long-new-password\n", keys: [] },
    { args: ["member", "add", "team", "alice", "--role", "developer"], keys: ["user", "role"] },
    { args: ["member", "list", "team"], keys: ["items"] },
    { args: ["member", "remove", "team", "alice"], keys: [] },
    { args: ["robot", "create", "team/ci", "--action", "pull"], keys: ["username", "secret", "expiresAt"] },
    { args: ["robot", "list", "team"], keys: ["items"] },
    { args: ["robot", "show", "team/ci"], keys: ["username"] },
    { args: ["robot", "update", "team/ci", "--description", "pulls"], keys: ["username"] },
    { args: ["token", "create", "laptop"], keys: ["secret", "name"] },
    { args: ["token", "list"], keys: ["items"] },
    { args: ["token", "show", "ID"], keys: ["name"] },
    { args: ["token", "update", "ID", "--name", "desk"], keys: ["name"] },
    { args: ["token", "delete", "ID"], keys: [] },
    {
      args: ["login", address, "-u", "robot-team-ci", "--password-stdin", "--as", "team"],
      input: secretOf("robot create"),
      keys: ["login", "config", "vault"],
    },
    { args: ["logins"], keys: [] },
    { args: ["init"], keys: [] },
    { args: ["doctor"], keys: ["files", "passedOver"] },
    { args: ["plan"], keys: ["config", "targets"] },
    { args: ["apply", "--yes"], keys: ["config", "plan", "targets"] },
    { args: ["import", "--from", "docker", "--dry-run"], keys: ["config", "logins", "leftOut", "unread"] },
    { args: ["check"], keys: [] },
    { args: ["why", `${address}/team/app`, "--offline"], keys: ["image", "answers"] },
    {
      args: ["pull", `docker-archive:${join(home, "image.tar")}`, join(home, "image.squashfs")],
      keys: ["source", "out", "format", "platform", "manifest", "sizeBytes", "how", "networkBytes"],
    },
    {
      args: ["copy", `docker-archive:${join(home, "image.tar")}`, `oci:${join(home, "layout")}:v1`],
      keys: ["destination", "images"],
    },
    {
      args: ["inspect", `docker-archive:${join(home, "image.tar")}`],
      keys: ["kind", "root", "manifest", "platform", "config", "layers"],
    },
    { args: ["inspect", join(home, "image.squashfs")], keys: ["kind", "sizeBytes", "squashfs"] },
    { args: ["cache", "list"], keys: ["folder", "sizeBytes", "items"] },
    { args: ["cache", "prune", "--older", "1d"], keys: ["folder", "freedBytes", "keptBytes", "removed"] },
    { args: ["pyxis-importer", "release"], env: { SLURM_JOB_ID: "1" }, keys: ["released"] },
    { args: ["credential-helper", "version"], keys: ["version"] },
    { args: ["render", "docker"], keys: ["path", "mode", "content"] },
    {
      args: ["kube", "inject", "-f", "-", "--image-pull-secret", "regcred"],
      input: "apiVersion: v1\nkind: Pod\nspec: { containers: [{ image: x }] }\n",
      keys: ["file", "output", "changed", "pods", "content"],
    },
    {
      args: ["kube", "controller", "--image", "a.example/wharf", "-c", join(home, "kube.yaml")],
      keys: ["place", "namespace", "manifest"],
    },
    { args: ["vault", "seal", join(home, "sealed")], keys: ["folder", "files", "logins", "writer"] },
    { args: ["kube", "rbac", "-c", join(home, "kube.yaml")], keys: ["place", "rights", "manifest"] },
    { args: ["trust", "--yes"], keys: [] },
    { args: ["vault", "recipients"], keys: [] },
    { args: ["vault", "rekey"], keys: [] },
    { args: ["vault", "backup-key", join(home, "backup")], keys: [] },
    { args: ["adopt"], keys: ["adopted", "known", "left"] },
    { args: ["rotate", "team"], keys: ["login", "done", "remaining"] },
    { args: ["revoke", "team"], keys: [] },
    { args: ["token", "create", "next", "--robot", "team/ci"], keys: ["secret"] },
    {
      args: ["login", address, "-u", "robot-team-ci", "--password-stdin", "--as", "again"],
      input: secretOf("token create"),
      keys: ["login"],
    },
    { args: ["logout", "again"], keys: [] },
    { args: ["robot", "delete", "team/ci", "--yes"], keys: [] },
    { args: ["project", "delete", "team", "--yes"], keys: [] },
    { args: ["user", "delete", "alice", "--yes"], keys: [] },
    { args: ["sign-out"], keys: [] },
  ];
}

const table = createCommandTable(sections, groups);

test("every command is on the way, or goes on by itself", () => {
  const named = way().map((step) => wordsOf(step.args));
  expect(table.paths.filter((path) => path !== "serve" && path !== "watch" && !named.includes(path))).toEqual(
    [],
  );
});

test("with --json each prints one document, and an object", async () => {
  const count = way().length;
  for (let index = 0; index < count; index++) {
    // Made again at each step: later ones use what earlier ones printed.
    const step = way()[index];
    if (step === undefined) break;
    const id = String(documents.get("token create")?.["id"]);
    const args = step.args.map((arg) => (arg === "ID" ? id : arg));
    const { code, out, err } = await runCli([...args, "--json"], {
      cwd: home,
      env: { HOME: home, PATH: join(home, "bin"), ...step.env },
      input: step.input ?? "",
    });
    expect({
      args,
      code,
      err: code === (step.code ?? 0) ? "" : err,
      out: code === (step.code ?? 0) ? "" : out,
    }).toEqual({ args, code: step.code ?? 0, err: "", out: "" });
    const document: unknown = JSON.parse(out);
    if (typeof document !== "object" || document === null || Array.isArray(document))
      throw new Error(`${args.join(" ")} printed no object: ${out}`);
    expect({ args, keys: Object.keys(document) }).toEqual({
      args,
      keys: expect.arrayContaining([...step.keys]),
    });
    documents.set(wordsOf(step.args), { ...document });
    if (wordsOf(step.args) === "login") writeDelivery();
  }
}, 120_000);

/** A delivery to a program that is not here, so that the way does not depend on the machine. */
function writeDelivery(): void {
  const path = join(home, ".config/wharf/wharf.yaml");
  const line = "deliver:\n  - { to: docker, at: local }\n";
  const text = readFileSync(path, "utf8");
  if (!text.includes("deliver:")) writeFileSync(path, `${text}${line}`);
}

function wordsOf(args: readonly string[]): string {
  return [args.slice(0, 2).join(" "), args[0] ?? ""].find((words) => table.paths.includes(words)) ?? "";
}
