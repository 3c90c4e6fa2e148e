/** What wharf tells of what it delivered, against our own server: check, why and adopt. */
import { expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { useDelivery } from "./support/use-delivery.ts";
import { filesUnder } from "./support/use-wharf-home.ts";

const it = useDelivery();
const { wharf, logIn, deliver, expectSecretHidden } = it;

test("check tells drift, and a login that the registry refuses; exit code 3", async () => {
  deliver("{ to: docker, at: local }");
  const other = await it.server.createRobot("team", "short");
  await wharf(`login ${it.server.address}/team -u ${other.username} --password-stdin --as team`, {
    input: other.secret,
  });
  await wharf("apply --yes");
  expect((await wharf("check")).code).toBe(0);
  const config = join(it.home, ".docker", "config.json");
  const written = readFileSync(config, "utf8");
  writeFileSync(config, "{}");
  const drifted = await wharf("check");
  expect([drifted.code, drifted.out]).toEqual([3, expect.stringContaining("(changed there)")]);
  writeFileSync(config, written);
  expect((await wharf("check")).code).toBe(0);
  const robots = await it.server.api("GET", "/projects/team/robots");
  expect(JSON.stringify(robots)).toContain(other.username);
  await it.server.api("PATCH", "/projects/team/robots/short", { disabled: true });
  const refused = await wharf("check");
  expect([refused.code, refused.out]).toEqual([3, expect.stringContaining("failed login team")]);
  // A new secret of a disabled robot would be refused all the same.
  expect(refused.out).toContain("need not be replaced: enable the robot or user again");
  const disabled = await wharf(`why ${it.server.address}/team/app`);
  expect(disabled.out).toContain("its robot or user is disabled: enable it again at the registry");
  expect(disabled.out).not.toContain("wharf login");
  await it.server.api("PATCH", "/projects/team/robots/short", { disabled: false });
  const { items } = (await it.server.api("GET", "/projects/team/robots/short/tokens")) as {
    items: { id: number }[];
  };
  await it.server.api("DELETE", `/projects/team/robots/short/tokens/${items[0]?.id}`);
  expect((await wharf("check")).out).toContain("make a new secret");
  const why = await wharf(`why ${it.server.address}/team/app`);
  expect(why.out).toMatch(/docker +team \(robot-team-short\) .* refused \(/);
  // What is true of several programs is said once.
  const advice = why.out.split("\n").filter((line) => line.includes(": do: "));
  expect(advice).toEqual([
    expect.stringMatching(/^docker\b.*: do: .*wharf login \S+\/team --as team, then wharf apply$/),
  ]);
});

test("what is in a login's way is told by plan and check, though the file is as it should be", async () => {
  deliver("{ to: podman, at: local }");
  await logIn();
  expect((await wharf("apply --yes")).code).toBe(0);
  const runtime = join(it.home, "run", "containers");
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const theirs = Buffer.from("me:mine").toString("base64");
  writeFileSync(
    join(runtime, "auth.json"),
    JSON.stringify({ auths: { [it.server.address]: { auth: theirs } } }),
  );
  const env = { XDG_RUNTIME_DIR: join(it.home, "run") };
  const checked = await wharf("check", { env });
  expect([checked.code, checked.out]).toEqual([
    3,
    expect.stringContaining("podman would not use this login"),
  ]);
  expect((await wharf("plan", { env })).err).toContain("nothing to do");
  const why = JSON.parse((await wharf(`why ${it.server.address}/team/app --offline --json`, { env })).out)
    .answers[0];
  expect(why).toMatchObject({ consumer: "podman", username: "me", login: null, covered: false });
  expect(why.shadowedBy).toContain(join(runtime, "auth.json"));
});

test("why says which entry each program uses, what is in its way, and what the registry answers", async () => {
  deliver("{ to: docker, at: local }", "{ to: podman, at: local }");
  await logIn();
  const image = `${it.server.address}/team/app:1`;
  const anonymous = JSON.parse((await wharf(`why ${image} --json`)).out).answers;
  expect(
    anonymous.map((answer: { consumer: string; kind: string; advice: string }) => [
      answer.consumer,
      answer.kind,
    ]),
  ).toEqual([
    ["docker", "anonymous"],
    ["podman", "anonymous"],
  ]);
  expect(anonymous[0].advice).toContain("wharf apply");
  await wharf("apply --yes");
  const good = JSON.parse((await wharf(`why ${image} --offline --json`)).out);
  expect(good.image).toBe(image);
  expect(good.answers[0]).toMatchObject({
    consumer: "docker",
    file: join(it.home, ".docker", "config.json"),
    key: it.server.address,
    login: "team",
    username: it.robot.username,
    shadowedBy: null,
    covered: true,
    pull: null,
  });
  // Docker knows no paths, and podman reads docker's file too: the login is sent, and is not meant for this image.
  const elsewhere = JSON.parse((await wharf(`why ${it.server.address}/elsewhere/app --offline --json`)).out);
  for (const answer of elsewhere.answers.slice(0, 2))
    expect(answer).toMatchObject({ kind: "login", login: "team", covered: false });
  const yaml = readFileSync(join(it.home, "wharf.yaml"), "utf8");
  writeFileSync(join(it.home, "wharf.yaml"), yaml.replace(/expires: .*/, "expires: 2020-01-01"));
  const [old] = JSON.parse((await wharf(`why ${image} --offline --json`)).out).answers;
  expect(old).toMatchObject({ expiry: "expired", advice: expect.stringContaining("--as team") });
  writeFileSync(join(it.home, "wharf.yaml"), yaml);
  // Somebody's helper for the host hides the entry.
  const config = join(it.home, ".docker", "config.json");
  const { auths } = JSON.parse(readFileSync(config, "utf8"));
  writeFileSync(config, JSON.stringify({ auths, credHelpers: { [it.server.address]: "pass" } }));
  const hidden = JSON.parse((await wharf(`why ${image} --offline --json`)).out).answers[0];
  expect(hidden).toMatchObject({ kind: "helper", covered: false, login: null });
  expect(hidden.shadowedBy).toContain("docker-credential-pass");
});

test("a file that may not be read is told, and keeps no other program's login back", async () => {
  deliver("{ to: enroot, at: local }", "{ to: podman, at: local }");
  await logIn();
  mkdirSync(join(it.home, ".docker"));
  const elsewhere = join(mkdtempSync(join(tmpdir(), "wharf-elsewhere-")), "config.json");
  writeFileSync(elsewhere, "{}");
  symlinkSync(elsewhere, join(it.home, ".docker", "config.json"));
  const why = await wharf("why gcr.example/a/b --offline --json");
  // Podman comes to docker's file only where its own does not answer.
  const applied = await wharf("apply --yes");
  const podman = JSON.parse((await wharf(`why ${it.server.address}/team/a --offline --json`)).out).answers[1];
  rmSync(dirname(elsewhere), { recursive: true });
  expect(why.code).toBe(0);
  const { answers } = JSON.parse(why.out);
  const docker = answers.find((answer: { consumer: string }) => answer.consumer === "docker");
  expect(docker).toMatchObject({
    kind: "broken",
    file: join(it.home, ".docker", "config.json"),
    covered: false,
  });
  expect([docker.why, docker.advice].join()).toMatch(/is a link out of .*replace the link/);
  expect(answers.find((answer: { consumer: string }) => answer.consumer === "enroot").kind).toBe("anonymous");
  expect(applied.code).toBe(0);
  expect(podman).toMatchObject({ consumer: "podman", kind: "login", login: "team" });
});

test("why tells an image that is not there from a login that may not see it", async () => {
  deliver("{ to: docker, at: local }");
  await it.server.api("POST", "/projects", { name: "hidden", visibility: "private" });
  await logIn();
  await wharf("apply --yes");
  const missing = await wharf(`why ${it.server.address}/team/none:1`);
  expect(missing.out).toMatch(/docker +team .* not there \(404\)/);
  expect(missing.out).toContain("the pull is let in, and there is no such image");
  const stranger = await wharf(`why ${it.server.address}/hidden/app:1`);
  expect(stranger.out).toMatch(/docker +team .* (?:refused|not there) \(40[134]\)/);
  expect(stranger.out).not.toContain("is let in");
  expect([missing.code, stranger.code]).toEqual([0, 0]);
});

test("check for cron and monitoring: one line, a file for Prometheus, the exit code", async () => {
  deliver("{ to: docker, at: local }", "{ to: podman, at: local }");
  await logIn();
  await wharf("apply --yes");
  const prom = join(it.home, "wharf.prom");
  const good = await wharf(`check --quiet --prometheus ${prom}`);
  // The robot of these tests lives for a day: told, and not yet off.
  expect([good.code, good.out.replace(/\S+\n$/, ""), good.err]).toEqual([
    0,
    "wharf: good: login team expires on ",
    "",
  ]);
  expect(statSync(prom).mode & 0o777).toBe(0o644);
  const text = readFileSync(prom, "utf8");
  expect(text).toMatch(/^# TYPE wharf_check_good gauge\nwharf_check_good 1$/m);
  expect(text).toContain('wharf_target_good{consumer="docker",place="local",user=""} 1\n');
  expect(text).toContain(`wharf_login_good{login="team",registry="${it.server.address}"} 1\n`);
  expect(text).toMatch(/^wharf_login_expires_timestamp_seconds\{login="team",registry="[^"]+"\} \d{10}/m);
  const soon = await wharf("check --quiet --warn-days 30");
  expect([soon.code, soon.out]).toEqual([
    3,
    expect.stringMatching(/^wharf: off: login team expires on \S+\n$/),
  ]);
  writeFileSync(join(it.home, ".docker", "config.json"), "{}");
  const drifted = await wharf(`check --quiet --prometheus ${prom}`);
  expect([drifted.code, drifted.out]).toEqual([
    3,
    expect.stringContaining("wharf: off: 1 of 2 targets (local); login team"),
  ]);
  expect((await wharf("check --quiet --offline")).out).toBe("wharf: off: 1 of 2 targets (local)\n");
  expect(readFileSync(prom, "utf8")).toContain('consumer="docker",place="local",user=""} 0\n');
  expect(readdirSync(it.home).filter((name) => name.includes("prom"))).toEqual(["wharf.prom"]);
  // A check that fails itself says so too, and not what was true before.
  rmSync(join(it.home, ".config", "wharf", "key"));
  expect((await wharf(`check --quiet --prometheus ${prom}`)).code).toBe(4);
  expect(readFileSync(prom, "utf8")).toMatch(/^wharf_check_good 0$/m);
  expect(readFileSync(prom, "utf8")).not.toContain("wharf_target_good");
  expect((await wharf("check --warn-days soon")).code).toBe(2);
});

test("adopt rebuilds a lost state from what is exactly ours, and takes nothing else for ours", async () => {
  mkdirSync(join(it.home, "out"));
  deliver(
    "{ to: docker, at: local }",
    "{ to: podman, at: local }",
    '{ to: kubernetes, at: "folder:out", name: regcred }',
    "{ to: enroot, at: local }",
  );
  await logIn();
  await wharf("apply --yes");
  const statePath = filesUnder(it.home).find((path) => path.endsWith("wharf.state")) ?? "";
  const withoutTimes = () =>
    JSON.parse(readFileSync(statePath, "utf8")).delivered.map((one: object) => ({ ...one, time: "" }));
  const before = withoutTimes();
  expect((await wharf("adopt")).err).toContain(`0 entries adopted, ${before.length} were known`);
  rmSync(statePath);
  // Somebody else's entry, and a stale one of ours, are not ours to know.
  const config = join(it.home, ".docker", "config.json");
  const theirs = { "foreign.example": { auth: Buffer.from("me:mine").toString("base64") } };
  const { auths } = JSON.parse(readFileSync(config, "utf8"));
  writeFileSync(config, JSON.stringify({ auths: { ...auths, ...theirs } }));
  const podman = join(it.home, ".config", "containers", "auth.json");
  const stale = Buffer.from(`${it.robot.username}:of-last-year`).toString("base64");
  writeFileSync(podman, JSON.stringify({ auths: { [`${it.server.address}/team`]: { auth: stale } } }));
  const untouched = filesUnder(it.home).map((path) => [path, statSync(path).ino, statSync(path).mtimeMs]);
  const adopted = await wharf("adopt");
  expect([adopted.code, adopted.out]).toEqual([3, expect.stringContaining("foreign podman at local")]);
  for (const [path, ...rest] of untouched)
    expect([path, statSync(String(path)).ino, statSync(String(path)).mtimeMs]).toEqual([
      path,
      ...rest,
    ] as never);
  expect(withoutTimes()).toEqual(
    before.filter(({ consumer }: { consumer: string }) => consumer !== "podman"),
  );
  // What is known again is pruned again; the foreign entry stays.
  const yaml = filesUnder(it.home).find((path) => path.endsWith("wharf.yaml")) ?? "";
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace(/deliver:[^]*/, ""));
  await wharf("apply --yes");
  expect(Object.keys(JSON.parse(readFileSync(config, "utf8")).auths)).toEqual(["foreign.example"]);
  expect(readFileSync(podman, "utf8")).toContain(stale);
});

test("nothing above showed the secret", () => expectSecretHidden());
