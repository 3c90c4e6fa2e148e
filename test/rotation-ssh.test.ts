/** A rotation over hosts, one of which is down: nothing is revoked before it has the new secret too. */
import { afterAll, beforeAll, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, needs } from "./support/programs.ts";
import { type InProcessResult, runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";
import { startTestServer, type TestServer } from "./support/test-server.ts";

let server: TestServer;
let ssh: SshServer | undefined;
let scratch: Scratch;

beforeAll(async () => {
  scratch = createScratch("rotate");
  server = await startTestServer();
  if (findProgram("sshd") !== undefined && findProgram("ssh") !== undefined) ssh = await startSshServer();
}, 60_000);
afterAll(async () => {
  await ssh?.stop();
  await server.stop();
  scratch.remove();
});

needs("sshd", "ssh", "ssh-keygen")(
  "a host that is down keeps the old secret good; when it is back, --continue finishes, and a revoke reaches all",
  async () => {
    const wharf = (line: string, input = ""): Promise<InProcessResult> =>
      runCli(line.split(" "), { cwd: scratch.path, env: { ...ssh?.env, HOME: scratch.path }, input });
    const homes = ["n1", "n2", "n3"].map((alias) => ssh?.addHost(alias) ?? "");
    await server.createProject("team");
    const robot = await server.createRobot("team", "nodes");
    const yaml = scratch.at("wharf.yaml");
    writeFileSync(yaml, 'version: 1\nlogins: {}\ndeliver:\n  - { to: podman, at: "ssh://n[1-3]" }\n');
    await wharf(`login ${server.address}/team -u ${robot.username} --password-stdin --as team`, robot.secret);
    await wharf(`sign-in ${server.url} -u ${server.admin.username} --password-stdin`, server.admin.secret);
    expect((await wharf("apply --yes")).code).toBe(0);
    const delivered = (): readonly string[] =>
      homes.map((home) => {
        const { auths } = JSON.parse(readFileSync(join(home, ".config/containers/auth.json"), "utf8"));
        const [entry] = Object.values<{ auth: string }>(auths);
        return Buffer.from(entry?.auth ?? "", "base64")
          .toString()
          .replace(`${robot.username}:`, "");
      });
    const isGood = async (secret: string): Promise<boolean> =>
      (await server.fetch("/v2/", { as: { username: robot.username, secret } })).status === 200;

    // Another port, and no connection that is still open from before.
    const config = join(ssh?.folder ?? "", "ssh_config");
    const whole = readFileSync(config, "utf8");
    const down = whole.replace(/(Host n2\n(?: .*\n)*? +Port )\d+/, "$11");
    expect(down).not.toBe(whole);
    writeFileSync(config, down);
    const half = await wharf("rotate team");
    expect([half.code, half.err]).toEqual([
      3,
      expect.stringMatching(/remains: podman at ssh:\/\/n2: .*\n.*rotate team --continue/),
    ]);
    const [first = "", second = "", third = ""] = delivered();
    expect([first === third, second === robot.secret, first !== second]).toEqual([true, true, true]);
    expect([await isGood(first), await isGood(second)]).toEqual([true, true]);

    writeFileSync(config, whole);
    expect((await wharf("rotate team --continue")).code).toBe(0);
    expect(new Set(delivered())).toEqual(new Set([first]));
    expect([await isGood(first), await isGood(robot.secret)]).toEqual([true, false]);
    // No command of any host said a secret.
    for (const secret of [first, robot.secret]) expect(ssh?.commands().join("\n")).not.toContain(secret);

    writeFileSync(config, down);
    const partly = await wharf("revoke team --revoke-token");
    expect([partly.code, partly.err]).toEqual([3, expect.stringContaining("1 of 3 targets")]);
    expect(await isGood(first)).toBe(false);
    writeFileSync(config, whole);
    expect((await wharf("revoke team")).code).toBe(0);
    expect(delivered).toThrow();
    expect(readFileSync(yaml, "utf8")).not.toContain("team");
  },
  180_000,
);
