/** A real sshd on loopback for tests, and a client configuration that knows its hosts: no file of the user's is read. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { programPath } from "./programs.ts";
import { createScratch } from "./scratch.ts";
import { until } from "./until.ts";

export interface SshServer {
  /** For wharf: its `ssh` reads this server's configuration alone. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly folder: string;
  /** Makes an alias with a home of its own, an empty folder; gives the home. `more` are lines of ssh_config. */
  addHost(alias: string, more?: readonly string[]): string;
  /** What the hosts were told to run, as their sshd was told it. */
  commands(): readonly string[];
  stop(): Promise<void>;
}

export interface SshServerOptions {
  /** Words before sshd, such as `unshare --mount sh -c …`. */
  readonly prefix?: readonly string[];
  /** Lines of sshd_config. */
  readonly more?: readonly string[];
}

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const scratch = createScratch("sshd");
  // Other accounts than the one that starts it run the forced command, and tell what they were asked.
  chmodSync(scratch.path, 0o711);
  writeFileSync(scratch.at("commands"), "");
  chmodSync(scratch.at("commands"), 0o666);
  const port = freePort();
  for (const key of ["host", "user"])
    run([programPath("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", scratch.at(key)]);
  const hostKey = await Bun.file(scratch.at("host.pub")).text();
  writeFileSync(scratch.at("authorized_keys"), await Bun.file(scratch.at("user.pub")).text());
  // Every alias has its own home: the client names it, and the server's forced command goes there.
  writeFileSync(
    scratch.at("as-host"),
    `#!/bin/sh\nprintf '%s\\n' "$SSH_ORIGINAL_COMMAND" >> ${scratch.at("commands")}\nif [ -n "$WHARF_TEST_HOME" ]; then HOME=$WHARF_TEST_HOME; export HOME; fi\nif [ -n "$WHARF_TEST_PATH" ]; then PATH=$WHARF_TEST_PATH:$PATH; export PATH; fi\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n`,
    { mode: 0o755 },
  );
  writeFileSync(
    scratch.at("sshd_config"),
    [
      `Port ${port}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${scratch.at("host")}`,
      `AuthorizedKeysFile ${scratch.at("authorized_keys")}`,
      `PidFile ${scratch.at("pid")}`,
      "StrictModes no",
      "UsePAM no",
      "UseDNS no",
      // It plays many hosts: together they may have more handshakes under way than one sshd lets in.
      "MaxStartups 1000",
      // Or bash, where that is root's shell, reads root's ~/.bashrc for each command, whatever a person has put there.
      "SetEnv SHLVL=3",
      "PasswordAuthentication no",
      "PermitRootLogin yes",
      "AcceptEnv WHARF_TEST_*",
      `ForceCommand ${scratch.at("as-host")}`,
      ...(options.more ?? []),
      "",
    ].join("\n"),
  );
  // Debian's sshd wants this folder when it is root; its service makes it at boot.
  const separation = "/run/sshd";
  const makes = process.getuid?.() === 0 && !existsSync(separation);
  if (makes) mkdirSync(separation, { mode: 0o755 });
  const child = Bun.spawn(
    [...(options.prefix ?? []), programPath("sshd"), "-D", "-e", "-f", scratch.at("sshd_config")],
    { stdin: "ignore", stdout: "ignore", stderr: Bun.file(scratch.at("log")) },
  );
  await until("sshd listens", async () => ((await isOpen(port)) ? true : undefined));
  writeFileSync(scratch.at("known_hosts"), `[127.0.0.1]:${port} ${hostKey}`);
  writeFileSync(scratch.at("ssh_config"), "");
  mkdirSync(scratch.at("bin"));
  writeFileSync(
    scratch.at("bin", "ssh"),
    `#!/bin/sh\nexec ${programPath("ssh")} -F ${scratch.at("ssh_config")} "$@"\n`,
    { mode: 0o755 },
  );
  mkdirSync(scratch.at("run"), { mode: 0o700 });
  let config = "";
  return {
    env: { PATH: `${scratch.at("bin")}:/usr/sbin:/usr/bin:/sbin:/bin`, XDG_RUNTIME_DIR: scratch.at("run") },
    port,
    folder: scratch.path,
    addHost(alias, more = []) {
      const home = scratch.at("homes", alias);
      mkdirSync(home, { recursive: true, mode: 0o700 });
      const lines = [
        `Host ${alias}`,
        ...more,
        "HostName 127.0.0.1",
        `Port ${port}`,
        `IdentityFile ${scratch.at("user")}`,
        "IdentitiesOnly yes",
        `UserKnownHostsFile ${scratch.at("known_hosts")}`,
        "GlobalKnownHostsFile /dev/null",
        `SetEnv WHARF_TEST_HOME=${home}`,
      ];
      config += `${lines.join("\n  ")}\n`;
      writeFileSync(scratch.at("ssh_config"), config);
      return home;
    },
    commands() {
      return readFileSync(scratch.at("commands"), "utf8").split("\n");
    },
    async stop() {
      const sockets = join(scratch.at("run"), "wharf-ssh");
      for (const socket of existsSync(sockets) ? readdirSync(sockets) : [])
        Bun.spawnSync([programPath("ssh"), "-O", "exit", "-S", join(sockets, socket), "any"], {
          stderr: "ignore",
          stdout: "ignore",
        });
      child.kill();
      await child.exited;
      if (makes && readdirSync(separation).length === 0) rmdirSync(separation);
      scratch.remove();
    },
  };
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

async function isOpen(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}

function run(argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${argv[0]}: ${stderr.toString()}`);
}
