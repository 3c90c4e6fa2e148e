/** An sshd on a machine with people of its own: accounts are made in a mount namespace of its, so that nothing of this machine is touched. */
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { programPath } from "./programs.ts";
import type { Scratch } from "./scratch.ts";
import { type SshServer, startSshServer } from "./ssh-server.ts";

/**
 * Starts it; `people` gets a home for root and for each account (a name and its number), and the files `passwd`, `group` and `sudoers`, which
 * can be written again while it runs. Each account, root too, is a host `as-NAME`. Needs root, unshare and mount.
 */
export async function startPeopleServer(
  people: Scratch,
  accounts: Readonly<Record<string, number>>,
  sudoers: string,
): Promise<SshServer> {
  chmodSync(people.path, 0o755);
  for (const [name, uid] of Object.entries({ root: 0, ...accounts })) {
    mkdirSync(people.at(name), { mode: 0o700 });
    chownSync(people.at(name), uid, uid);
  }
  // root's home too, so that nothing of this machine's is touched.
  const passwd = readFileSync("/etc/passwd", "utf8").replace(
    /^root:.*$/m,
    `root:*:0:0:root:${people.at("root")}:/bin/sh`,
  );
  const lines = Object.entries(accounts).map(
    ([name, uid]) => `${name}:*:${uid}:${uid}::${people.at(name)}:/bin/sh\n`,
  );
  const groups = Object.entries(accounts).map(([name, gid]) => `${name}:x:${gid}:\n`);
  writeFileSync(people.at("passwd"), passwd + lines.join(""));
  writeFileSync(people.at("group"), readFileSync("/etc/group", "utf8") + groups.join(""));
  writeFileSync(people.at("sudoers"), `root ALL=(ALL) ALL\n${sudoers}`, { mode: 0o440 });
  const mount = programPath("mount");
  const binds = ["passwd", "group", "sudoers"].map(
    (name) => `${mount} --bind ${people.at(name)} /etc/${name}`,
  );
  const server = await startSshServer({
    prefix: [programPath("unshare"), "--mount", "sh", "-c", `${binds.join(" && ")} && exec "$@"`, "sh"],
  });
  for (const name of ["root", ...Object.keys(accounts)])
    server.addHost(`as-${name}`, [`User ${name}`, `SetEnv WHARF_TEST_HOME=${people.at(name)}`]);
  return server;
}
