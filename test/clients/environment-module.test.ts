/** The environment module that a delivery to apptainer asks for, read by real Lmod: its own form, and Tcl's. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "#consumers";
import { apptainer } from "#consumers/apptainer";
import { Secret } from "#core";
import { needs, programPath } from "../support/programs.ts";
import { runCli } from "../support/run-cli.ts";

const lmodTest = needs("lmod", "tclsh", "bash");
let home = "";

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "wharf-module-")));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

async function wharf(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runCli(args, { cwd: home, env: { HOME: home, PATH: join(home, "bin") } });
  expect({ args, code, err: code === 0 ? "" : out + err }).toEqual({ args, code: 0, err: "" });
  return out + err;
}

/** What a shell with Lmod prints after these lines. */
async function inShell(lines: readonly string[]): Promise<{ readonly out: string; readonly err: string }> {
  const init = join(programPath("lmod"), "../../init/bash");
  const script = [`. ${init}`, `module use ${home}/modules`, ...lines].join("\n");
  const child = Bun.spawn([programPath("bash"), "--noprofile", "--norc", "-c", script], {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH ?? "/usr/bin:/bin" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return { out, err };
}

/** Characters that JSON, base64, Lua, Tcl and shells each take for something of their own. */
const secrets = ["Qx7pL2vN9", 'a:b"c\\d$e`f%g[h]{i}', "p\u00e4ssw\u00f6rt \u20ac 1", "Qx7".repeat(1000)];

const golden = join(import.meta.dir, "..", "golden", "apptainer-module");
const target: Target = { home: "/home/alice", user: "alice", uid: 1000, env: {} };
const logins = ["docker.io", "nvcr.io"].map((registry) => ({
  name: registry,
  registry,
  path: undefined,
  username: "robot",
  secret: new Secret("word"),
}));

test("the module's text is the one that was reviewed", () => {
  for (const [path, options] of [
    ["hub.lua", {}],
    ["hub", { program: "singularity" }],
  ] as const) {
    const compiled = apptainer.compile(logins.slice(0, 1), {
      ...target,
      options: { ...options, module: `/opt/${path}` },
    });
    const body = compiled.documents.find((document) => document.path === `/opt/${path}`)?.body ?? "";
    if (process.env["UPDATE_GOLDEN"] === "1") {
      mkdirSync(golden, { recursive: true });
      writeFileSync(join(golden, path), body);
    }
    expect(body).toBe(readFileSync(join(golden, path), "utf8"));
    expect(compiled.warnings.map(({ kind }) => kind)).toContain("danger");
  }
});

test("several logins, and a path that could end a text of the module, are refused", () => {
  const refused = (count: number, module: unknown): number =>
    apptainer.compile(logins.slice(0, count), { ...target, options: { module } }).refusals.length;
  expect([refused(2, "/opt/a.lua"), refused(1, "/opt/a.lua")]).toEqual([2, 0]);
  for (const module of ["a.lua", '/opt/"a.lua', "/opt/../a", "/opt/a\nb", "/opt/", 7, true])
    expect({ module, refused: refused(1, module) }).toEqual({ module, refused: 1 });
});

for (const [kind, path] of [
  ["Lmod's own", "ngc.lua"],
  ["Tcl's", "ngc"],
] as const) {
  lmodTest(
    `${kind} module gives apptainer the pair when it is loaded, takes it away, and shows it to nobody`,
    async () => {
      for (const secret of secrets) {
        const auth = Buffer.from(`$oauthtoken:${secret}`).toString("base64");
        writeFileSync(join(home, "config.json"), JSON.stringify({ auths: { "nvcr.io": { auth } } }), {
          mode: 0o600,
        });
        await wharf("import", "config.json", "--yes", "--no-verify");
        const config = join(home, ".config/wharf/wharf.yaml");
        const text = readFileSync(config, "utf8");
        if (!text.includes("deliver:"))
          writeFileSync(
            config,
            `${text}deliver:\n  - { to: apptainer, at: local, module: ~/modules/${path} }\n`,
          );
        const said = await wharf("apply", "--yes");
        expect(said).toContain("sends this login to every registry");
        const module = readFileSync(join(home, "modules", path), "utf8");
        for (const form of [secret, auth, "$oauthtoken"]) expect(module).not.toContain(form);
        expect(statSync(join(home, "modules", path)).mode & 0o777).toBe(0o644);

        const print = `printf '%s\\n' "\${APPTAINER_DOCKER_USERNAME-unset}" "\${APPTAINER_DOCKER_PASSWORD-unset}"`;
        const { out, err } = await inShell([
          "module load ngc",
          print,
          "module unload ngc",
          print,
          "module show ngc 2>&1",
        ]);
        const [shown, pairs] = [out.split("\n").slice(4).join("\n"), out.split("\n").slice(0, 4)];
        expect({ pairs, err }).toEqual({ pairs: ["$oauthtoken", secret, "unset", "unset"], err: "" });
        expect(shown).toContain("nvcr.io");
        expect(shown).not.toContain(secret);
      }
      rmSync(join(home, ".apptainer"), { recursive: true });
      const missing = await inShell(["module load ngc; echo still here"]);
      expect((missing.out + missing.err).replace(/\s+/g, " ")).toContain(
        "no login of nvcr.io in docker-config.json",
      );
      const config = join(home, ".config/wharf/wharf.yaml");
      writeFileSync(config, readFileSync(config, "utf8").replace(/, module: [^ ]+/, ""));
      await wharf("apply", "--yes");
      expect(existsSync(join(home, "modules", path))).toBe(false);
    },
    120_000,
  );
}
