import { beforeAll, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { extendFixture } from "./extend-fixture.ts";
import type { InProcessResult } from "./run-cli.ts";
import type { TestLogin } from "./test-server.ts";
import { useWharfHome, type WharfHome } from "./use-wharf-home.ts";

/** A home at which the login of a robot is kept and delivered. */
export interface Delivery extends WharfHome {
  /** Of the project team; one for the whole file. */
  readonly robot: TestLogin;
  /** `wharf login` with that robot for the project team. */
  readonly logIn: () => Promise<InProcessResult>;
  /** Writes wharf.yaml with these deliveries and no login. */
  readonly deliver: (...lines: readonly string[]) => void;
  /** The robot's username and secret, as docker writes them. */
  readonly auth: () => string;
  /** Fails when the robot's secret was in anything that wharf or the server has shown or logged in this file. */
  readonly expectSecretHidden: () => void;
}

/** Call it once, outside of tests. */
export function useDelivery(): Delivery {
  const at = useWharfHome("delivery");
  let robot: TestLogin | undefined;
  beforeAll(async () => {
    robot = await at.server.createRobot("team", "ci");
  });
  const present = (): TestLogin => {
    if (robot === undefined) throw new Error("no robot was made");
    return robot;
  };
  const auth = (): string => Buffer.from(`${present().username}:${present().secret}`).toString("base64");
  return extendFixture<WharfHome, Delivery>(at, {
    get robot() {
      return present();
    },
    async logIn() {
      const line = `login ${at.server.address}/team -u ${present().username} --password-stdin --as team`;
      return await at.wharf(line, { input: `${present().secret}\n` });
    },
    deliver(...lines) {
      const deliveries = lines.map((line) => `  - ${line}\n`).join("");
      writeFileSync(join(at.home, "wharf.yaml"), `version: 1\nlogins: {}\ndeliver:\n${deliveries}`);
    },
    auth,
    expectSecretHidden() {
      for (const text of [...at.shown, ...at.server.logLines]) {
        expect(text).not.toContain(present().secret);
        expect(text).not.toContain(auth());
        expect(text).not.toContain(Buffer.from(present().secret).toString("base64"));
      }
    },
  });
}
