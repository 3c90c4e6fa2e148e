import { createRegistryClient } from "#client";
import { consumers } from "#consumers";
import { AppError, type Context, version } from "#core";
import { ANONYMOUS, createMachineKeychain } from "#keychain";
import { createLocalPlace } from "#places";
import { createFetch, readTextLimited, writeFileDurable } from "#system";
import { createDemoImage, pullImage, pushImage } from "./demo-image.ts";
import type { Stage } from "./stage.ts";

const IMAGE = { repository: "team/hello", tag: "v1" };

/** The whole way: registry, project, robot, login, plan, apply, push, pull, why, a refusal explained. */
export async function walk(stage: Stage, home: string, path: string, context: Context): Promise<void> {
  stage.chapter("A registry, in one command. Access control is on from its first request.");
  const server = await stage.start(["serve", "--data", `${home}/wharf-data`, "--listen", "127.0.0.1:0"]);
  try {
    const address = (await readText(`${home}/wharf-data/address`)).trim();
    await manage(stage, home, address);
    await deliver(stage, home, address);
    await pushAndPull(stage, { home, path, address, context });
    await explain(stage, home, address);
  } finally {
    await server.stop();
  }
}

async function manage(stage: Stage, home: string, address: string): Promise<void> {
  stage.chapter("A project for the team's images, and a robot that may pull and push there.");
  await stage.wharf(["sign-in", `http://${address}`, "-u", "admin", "--password-stdin"], {
    input: await readText(`${home}/wharf-data/admin-password`),
    shown: `wharf sign-in http://${address} -u admin --password-stdin < ~/wharf-data/admin-password`,
  });
  await stage.wharf(["project", "create", "team"]);
}

async function deliver(stage: Stage, home: string, address: string): Promise<void> {
  stage.chapter(
    "The robot's secret is shown once. It goes straight into a login: proved by a real token exchange, sealed in the vault.",
  );
  const robot = ["robot", "create", "team/ci", "--action", "pull", "--action", "push"];
  await stage.pipe(robot, ["login", address, "-u", "robot-team-ci", "--password-stdin", "--as", "team"]);

  stage.chapter("Which programs get it stands in wharf.yaml. There is no secret in it: commit it.");
  const config = `${home}/.config/wharf/wharf.yaml`;
  const deliveries =
    "deliver:\n  - { to: docker, at: local, logins: [team] }\n  - { to: podman, at: local, logins: [team] }\n";
  const before = await readText(config);
  await writeFileDurable(config, `${before.trimEnd()}\n${deliveries}`, { mode: 0o600 });
  stage.prompt("cat ~/.config/wharf/wharf.yaml");
  stage.lines(await readText(config));
  await stage.wharf(["plan"]);
  await stage.wharf(["apply", "--yes"]);
}

interface Pushing {
  readonly home: string;
  readonly path: string;
  readonly address: string;
  readonly context: Context;
}

async function pushAndPull(stage: Stage, { home, path, address, context }: Pushing): Promise<void> {
  const name = `${address}/${IMAGE.repository}:${IMAGE.tag}`;
  stage.chapter(`Push and pull ${name} with the login that docker would find in ~/.docker/config.json.`);
  const docker = consumers.filter((consumer) => consumer.name === "docker");
  const keychain = createMachineKeychain(createLocalPlace({ home, env: { HOME: home, PATH: path } }), docker);
  const found = await keychain.find(context, name);
  if (found === ANONYMOUS) throw new AppError("INTERNAL", `docker would find no login for ${name}`);
  const { username, secret } = found;
  const fetch = createFetch({ environment: {}, userAgent: `wharf-demo/${version}` });
  const client = createRegistryClient({ registry: address, credentials: { username, secret }, fetch });
  const pushed = await pushImage(context, client, IMAGE, createDemoImage());
  stage.lines(`pushed as ${username}: ${pushed}`);
  const pulled = await pullImage(context, client, IMAGE);
  if (pulled.digest !== pushed) throw new AppError("INTERNAL", `pulled ${pulled.digest}, pushed ${pushed}`);
  stage.lines(`pulled, the same: ${pulled.digest} (${pulled.sizeBytes} bytes, every digest checked)`);
  const stranger = await createRegistryClient({ registry: address, fetch }).probePull(
    context,
    IMAGE.repository,
    IMAGE.tag,
  );
  if (stranger.allowed) throw new AppError("INTERNAL", "the image could be pulled without a login");
  stage.lines(`without the login: refused`);

  stage.chapter("Why does a program pull, or not? Ask.");
  await stage.wharf(["why", name]);
}

async function explain(stage: Stage, home: string, address: string): Promise<void> {
  stage.chapter("What a program cannot do is refused with a reason, not written and hoped for.");
  const config = `${home}/.config/wharf/wharf.yaml`;
  const second = `  other:\n    registry: ${address}/other\n    username: admin\n    password: { file: ${home}/wharf-data/admin-password }\n`;
  const text = await readText(config);
  const both = text.replace("deliver:\n", `${second}deliver:\n`).replaceAll("[team]", "[team, other]");
  await writeFileDurable(config, both, { mode: 0o600 });
  const shown = both.slice(both.indexOf("  other:"));
  stage.prompt(
    `tail -n ${shown.split("\n").length - 1} ~/.config/wharf/wharf.yaml # a second login, for other images there`,
  );
  stage.lines(shown);
  await stage.wharf(["plan"], { code: 3 });
}

async function readText(path: string): Promise<string> {
  const text = await readTextLimited(path, 64 * 1024);
  if (text === undefined) throw new AppError("INTERNAL", `${path} is not there`);
  return text;
}
