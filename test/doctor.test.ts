/** `wharf doctor` as people run it: files, this machine, mending, and what is left to them. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findFaults } from "#consumers/faults";
import { needs } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { startSshServer } from "./support/ssh-server.ts";
import { readTexts } from "./support/texts.ts";

const HUB = "https://index.docker.io/v1/";
const SECRET = ["Qx7pL2", "vN9", "canary"].join("-");
const auth = Buffer.from(`robot:${SECRET}`).toString("base64");
let home = "";

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "wharf-doctor-")));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function put(path: string, text: string, mode = 0o600): string {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
  writeFileSync(full, text, { mode });
  chmodSync(full, mode);
  return full;
}

const doctor = (
  args: readonly string[],
  answers?: readonly string[],
  env: Readonly<Record<string, string>> = {},
) =>
  runCli(["doctor", ...args], {
    cwd: home,
    env: { PATH: join(home, "bin"), ...env, HOME: home },
    ...(answers === undefined ? {} : { answers }),
  });

const hubFile = (key: string): string => JSON.stringify({ auths: { [key]: { auth } } }, null, 2);
const newline = Buffer.from(`robot:${SECRET}\n`).toString("base64");

test("a page of each kind of example is read, and every mistake has its line and its right value", async () => {
  put(
    "page.md",
    [
      "# Pull secrets",
      "",
      "```",
      "kubectl create secret docker-registry regcred -n team \\ ",
      "  --docker-server=registry.example.org --docker-username=robot --docker-password=<password>",
      "```",
      "",
      "```yaml",
      "kind: Secret",
      "metadata:",
      "  name: pull",
      "  labels:",
      '  runai/cluster-wide: "true"',
      "type: kubernetes.io/dockerconfigjson",
      "data:",
      `  .dockerconfigjson: ${Buffer.from(JSON.stringify({ "registry.example.org": { auth } })).toString("base64")}`,
      "```",
      "",
      "The credentials file::",
      "",
      "    machine auth.docker.io login <user> password <password>",
      "",
    ].join("\n"),
  );
  const { code, out, err } = await doctor(["page.md", "--json"]);
  expect({ code, err }).toEqual({ code: 3, err: "" });
  const { files } = JSON.parse(out) as {
    files: { faults: { code: string; line: number; right: string; command: string | null }[] }[];
  };
  expect(files[0]?.faults.map((fault) => `${fault.code}:${fault.line}`)).toEqual([
    "WD050:4",
    "WD051:4",
    "WD021:13",
    "WD025:13",
    "WD090:16",
    "WD006:16",
    "WD030:21",
  ]);
  expect(files[0]?.faults.find((fault) => fault.code === "WD051")?.command).toBe(
    "wharf login registry.example.org -u robot",
  );
  expect(out).not.toContain(SECRET);
});

test("--fix shows the change without secrets, asks, and replaces the file with its mode and nothing beside it", async () => {
  const wrong = hubFile("docker.io").replace(auth, newline);
  const path = put(".docker/config.json", wrong, 0o640);
  const refused = await doctor(["--fix", path], ["n"]);
  expect({ code: refused.code, text: readFileSync(path, "utf8") }).toEqual({
    code: 3,
    text: wrong,
  });
  const { code, out, err, questions } = await doctor(["--fix", path], ["y"]);
  expect({ code, questions: questions.length }).toEqual({ code: 0, questions: 1 });
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ auths: { [HUB]: { auth } } });
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
  expect(readdirSync(dirname(path))).toEqual(["config.json"]);
  expect(err).toContain("the key docker.io becomes https://index.docker.io/v1/");
  expect(err).toContain("[secret]");
  expect(err + out).not.toContain(auth.slice(0, 20));
  const again = await doctor([path]);
  expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: "no known mistake in 1 file\n" });
});

test("without a terminal --fix wants --yes, and what it cannot decide is left and said", async () => {
  const path = put(
    "config.json",
    JSON.stringify({
      auths: { "docker.io": { auth }, "a.example.org/x": { auth }, "a.example.org/y": { auth } },
    }),
  );
  expect((await doctor(["--fix", path])).code).toBe(2);
  expect(readFileSync(path, "utf8")).toContain('docker.io"');
  const { code, out } = await doctor(["--fix", "--yes", path]);
  expect(code).toBe(3);
  expect(out).toContain("WD002");
  expect(out).not.toContain("WD001");
});

test("a script keeps its mode, and a link is followed to what somebody named", async () => {
  const script = put("make.sh", "kubectl get secret \\ \n  -n team\n", 0o755);
  symlinkSync(script, join(home, "link.sh"));
  const { code } = await doctor(["--fix", "--yes", "link.sh"]);
  expect(code).toBe(0);
  expect({ text: readFileSync(script, "utf8"), mode: statSync(script).mode & 0o777 }).toEqual({
    text: "kubectl get secret \\\n  -n team\n",
    mode: 0o755,
  });
});

test("this machine: every program's own files, the environment, and a file that hides another", async () => {
  put(".docker/config.json", hubFile("a.example.org"));
  put(".apptainer/docker-config.json", "{}");
  put(".config/enroot/.credentials", `machine nvcr.io login $oauthtoken password ${SECRET}\n`);
  put(".config/containers/auth.json", hubFile("b.example.org/"));
  const { code, out } = await doctor([], undefined, { SINGULARITY_DOCKER_PASSWORD: SECRET });
  expect(code).toBe(3);
  for (const found of ["WD013", "WD031", "WD042", "WD043", "which alone has a.example.org"])
    expect(out).toContain(found);
  expect(out).not.toContain(SECRET);
});

test("the two files of one person, both complete, are no mistake", async () => {
  put(".docker/config.json", hubFile("a.example.org"));
  put(".apptainer/docker-config.json", hubFile("a.example.org"));
  expect(await doctor([])).toMatchObject({ code: 0, out: "" });
});

test("a file that is not there is said, and the others are looked at", async () => {
  const path = put("config.json", hubFile("docker.io"));
  const { code, out } = await doctor(["gone.json", path]);
  expect(code).toBe(3);
  expect(out).toContain(`there is no file ${join(home, "gone.json")}`);
  expect(out).toContain("WD001 line 3");
  expect((await doctor([path, "--at", "local"])).code).toBe(2);
  expect(await doctor(["--at", "local", "-n", "team-a"])).toMatchObject({ code: 2 });
});

needs("sshd", "ssh", "ssh-keygen")(
  "hosts over ssh: what is there is found and mended there, and a dead one is said without holding up the others",
  async () => {
    const server = await startSshServer();
    try {
      const good = server.addHost("gpu1");
      const file = join(good, ".docker/config.json");
      mkdirSync(dirname(file), { mode: 0o700 });
      writeFileSync(file, hubFile("docker.io"), { mode: 0o600 });
      server.addHost("gpu2", ["ProxyCommand false"]);
      const at = ["--at", "ssh://gpu[1-2]"];
      const { code, out } = await doctor(at, undefined, server.env);
      expect(code).toBe(3);
      expect(out).toContain(`ssh://gpu1 ${file}`);
      expect(out).toContain("passed over ssh://gpu2");
      const fixed = await doctor(["--fix", "--yes", ...at], undefined, server.env);
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ auths: { [HUB]: { auth } } });
      expect(fixed.out + fixed.err).not.toContain(auth);
      expect(server.commands().join("\n")).not.toContain(auth);
    } finally {
      await server.stop();
    }
  },
  60_000,
);

test("the project's own pages, which show many a login, have no known mistake but those that they are about", () => {
  for (const [path, text] of readTexts()) {
    const codes = findFaults({ path, bytes: Buffer.from(text) }).map(({ code, line }) => `${code}:${line}`);
    expect({ path, codes }).toEqual({ path, codes: [] });
  }
});
