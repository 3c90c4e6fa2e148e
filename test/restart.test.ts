/** apply --restart: by systemctl at hosts over SSH and here, one after the other. The systemctl is a script that counts starts in the host's home. */
import { afterAll, beforeAll, beforeEach, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, needs } from "./support/programs.ts";
import { runCli } from "./support/run-cli.ts";
import { createScratch, type Scratch } from "./support/scratch.ts";
import { type SshServer, startSshServer } from "./support/ssh-server.ts";

/** Other work on the machine makes it slow: every look at a host is a round trip of its own. */
const SLOW_MS = 600_000;
const HOSTS = ["node1", "node2", "node3"] as const;
const withSsh = needs("sshd", "ssh", "ssh-keygen");
let server: SshServer;
let scratch: Scratch;
let tools: string;
let homes: ReadonlyMap<string, string>;
let secret: string;

const SYSTEMCTL = `#!/bin/sh
[ "$1" = --no-ask-password ] && shift
starts=$(cat "$HOME/starts" 2>/dev/null || echo 0)
case $1 in
  show)
    if [ "$3" != containerd.service ]; then printf 'LoadState=not-found\\nActiveState=inactive\\nInvocationID=\\n'; exit 0; fi
    active=active
    if [ -e "$HOME/down" ]; then active=inactive; fi
    if [ -e "$HOME/broken" ] && [ "$starts" -gt 0 ]; then active=failed; fi
    printf 'LoadState=loaded\\nActiveState=%s\\nInvocationID=%s\\n' "$active" "$starts" ;;
  restart)
    if [ -e "$HOME/denied" ]; then echo 'Interactive authentication required.' >&2; exit 4; fi
    echo $((starts + 1)) > "$HOME/starts"; printf '%s %s\\n' "\${HOME##*/}" "$3" >> "$WHARF_TEST_LOG" ;;
esac
`;

beforeAll(async () => {
  if (findProgram("sshd") === undefined || findProgram("ssh") === undefined) return;
  server = await startSshServer();
  tools = join(server.folder, "tools");
  mkdirSync(tools);
  writeFileSync(
    join(tools, "systemctl"),
    SYSTEMCTL.replace("$WHARF_TEST_LOG", join(server.folder, "restarts")),
    { mode: 0o755 },
  );
  homes = new Map(
    HOSTS.map((host) => {
      const home = join(server.folder, "homes", host);
      return [host, server.addHost(host, [`SetEnv WHARF_TEST_PATH=${tools} WHARF_TEST_HOME=${home}`])];
    }),
  );
}, SLOW_MS);
afterAll(async () => {
  await server?.stop();
});

beforeEach(() => {
  if (server === undefined) return;
  scratch?.remove();
  scratch = createScratch("restart");
  secret = crypto.randomUUID();
  rmSync(join(server.folder, "restarts"), { force: true });
  for (const home of homes.values())
    for (const name of ["starts", "down", "broken", "denied"]) rmSync(join(home, name), { force: true });
});
afterAll(() => scratch?.remove());

/** Every host has its file in a place of its own: they are all this machine. */
function deliverTo(places: readonly string[]): void {
  const lines = places.map(
    (place, index) => `  - { to: containerd, at: "${place}", file: ${scratch.at(`config${index}.toml`)} }\n`,
  );
  writeFileSync(
    scratch.at("wharf.yaml"),
    `version: 1\nlogins:\n  lab: { registry: r.example, username: robot, password: { env: LAB } }\ndeliver:\n${lines.join("")}`,
  );
}

async function apply(line: string): Promise<{ code: number; out: string; err: string }> {
  const env = {
    ...server.env,
    PATH: `${tools}:${server.env["PATH"] ?? ""}`,
    HOME: scratch.path,
    LAB: secret,
  };
  return await runCli(["apply", ...line.split(" ")], { cwd: scratch.path, env });
}

function restarts(): readonly string[] {
  const path = join(server.folder, "restarts");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

const mark = (host: string, name: string): void => writeFileSync(join(homes.get(host) ?? "", name), "");
const everywhere = HOSTS.map((host) => `ssh://${host}`);

withSsh(
  "one host after the other, only what was written, and what was not restarted is remembered",
  async () => {
    deliverTo(everywhere);
    const first = await apply("--yes");
    expect(first.code).toBe(0);
    expect(first.out).toContain("takes effect after a restart of containerd");
    expect(first.err).toContain("wharf apply --restart");
    expect(restarts()).toEqual([]);

    mark("node2", "down");
    const second = await apply("--yes --restart --json");
    expect(second.code).toBe(0);
    const document = JSON.parse(second.out) as { restarts: readonly { place: string; state: string }[] };
    expect(document.restarts.map(({ place, state }) => [place, state])).toEqual([
      ["ssh://node1", "restarted"],
      ["ssh://node2", "not running"],
      ["ssh://node3", "restarted"],
    ]);
    expect(restarts()).toEqual(["node1 containerd.service", "node3 containerd.service"]);

    const third = await apply("--yes --restart");
    expect([third.code, third.err.includes("nothing waits for a restart")]).toEqual([0, true]);
    expect(restarts()).toHaveLength(2);

    secret = crypto.randomUUID();
    const changed = await apply("--yes --restart --at ssh://node3");
    expect(changed.code).toBe(0);
    expect(restarts().slice(2)).toEqual(["node3 containerd.service"]);
  },
  SLOW_MS,
);

withSsh(
  "stops at the first that does not come back; the others are tried when it is mended",
  async () => {
    deliverTo(everywhere);
    mark("node2", "broken");
    const failed = await apply("--yes --restart");
    expect(failed.code).toBe(3);
    expect(failed.out).toContain("restarted containerd at ssh://node1 (containerd.service)");
    expect(failed.out).toContain("containerd.service did not come back: it is failed");
    expect(failed.out).toContain("not restarted containerd at ssh://node3: one before it failed");
    expect(restarts()).toEqual(["node1 containerd.service", "node2 containerd.service"]);

    rmSync(join(homes.get("node2") ?? "", "broken"));
    const mended = await apply("--yes --restart");
    expect(mended.code).toBe(0);
    expect(restarts().slice(2)).toEqual(["node2 containerd.service", "node3 containerd.service"]);
  },
  SLOW_MS,
);

withSsh(
  "who may not restart is told that it takes root",
  async () => {
    deliverTo(["ssh://node1"]);
    mark("node1", "denied");
    const denied = await apply("--yes --restart");
    expect(denied.code).toBe(3);
    expect(denied.out).toContain("systemctl restart failed: Interactive authentication required.");
    expect(denied.out).toContain("sudo: true");
  },
  SLOW_MS,
);

withSsh(
  "on this machine, and in a folder nothing runs",
  async () => {
    mkdirSync(scratch.at("tree"), { mode: 0o700 });
    mkdirSync(scratch.at("tree", scratch.path), { recursive: true });
    deliverTo(["local", `folder:${scratch.at("tree")}`]);
    const here = await apply("--yes --restart");
    expect([here.code, here.out.match(/^restarted .*$/gm)]).toEqual([
      0,
      ["restarted containerd at local (containerd.service)"],
    ]);
    expect(readFileSync(scratch.at("starts"), "utf8")).toBe("1\n");
  },
  SLOW_MS,
);
