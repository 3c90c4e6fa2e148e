import { beforeEach, expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Context, silentLogger } from "#core";
import { beginRotation, type RotateInput, type RotationStage, type TokenIssuer } from "#delivery";
import { readConfig } from "#logins";
import { createFetch } from "#system";
import { findTokenIssuer } from "../../src/cli/manage/token-issuer.ts";
import { extendFixture } from "./extend-fixture.ts";
import type { TestLogin } from "./test-server.ts";
import { useWharfHome, type WharfHome } from "./use-wharf-home.ts";

export const rotationContext: Context = { signal: new AbortController().signal, log: silentLogger };

/** A home at which the login `team` is delivered to docker and podman, and rotated. */
export interface Rotation extends WharfHome {
  /** Whose login it is: at first a robot of the project team, another for each test. A test may put somebody else here. */
  robot: TestLogin;
  /** The path of that first robot's tokens in the management API. */
  readonly tokensPath: string;
  /** Logs the robot in as `team` and delivers it; `more` are lines of `deliver:`. */
  readonly deliver: (more?: string) => Promise<void>;
  /** Signs the administrator in, who may make tokens and revoke them. */
  readonly signIn: () => Promise<void>;
  /** Docker's file in this home, and the secret that it holds. */
  readonly dockerFile: () => string;
  readonly delivered: () => string;
  /** Whether the registry takes that secret of the robot. */
  readonly isGood: (secret: string) => Promise<boolean>;
  /** How many of the first robot's tokens are good. */
  readonly activeTokens: () => Promise<number>;
  /** Goes on with a rotation; false where none is under way. */
  readonly goesOn: () => Promise<boolean>;
  /** The engine as the command runs it, with what a test wants to see or break. */
  readonly rotateInput: (change?: Partial<RotateInput>) => Promise<RotateInput>;
  /** Who makes the login's next token; throws where nobody is signed in. */
  readonly issuerHere: (input: RotateInput) => Promise<TokenIssuer>;
  /** Ends a rotation as a kill would: nothing runs after that stage. */
  readonly killAt: (stage: RotationStage) => Promise<void>;
}

/** Call it once, outside of tests. */
export function useRotation(): Rotation {
  const at = useWharfHome("rotation");
  let robots = 0;
  let robot: TestLogin | undefined;
  const present = (): TestLogin => {
    if (robot === undefined) throw new Error("no robot was made");
    return robot;
  };
  beforeEach(async () => {
    robot = await at.server.createRobot("team", `bot${++robots}`);
  });
  const tokensPath = (): string => `/projects/team/robots/bot${robots}/tokens`;
  const dockerFile = (): string => join(at.home, ".docker", "config.json");
  const rotateInput: Rotation["rotateInput"] = async (change = {}) => {
    const surroundings = { env: at.env, cwd: at.home };
    return {
      surroundings,
      configPath: (await readConfig(surroundings)).path,
      fetch: createFetch({ environment: {}, userAgent: "test" }),
      findIssuer: (login, url) => findTokenIssuer({ ...surroundings, context: rotationContext }, login, url),
      said: () => undefined,
      now: () => Date.now(),
      wait: () => Promise.reject(new Error("nothing here has to be waited for")),
      noWait: false,
      takenUp: false,
      ...change,
    };
  };
  const issuerHere: Rotation["issuerHere"] = async (input) => {
    const login = (await readConfig(input.surroundings)).logins.get("team");
    const issuer = login === undefined ? undefined : await input.findIssuer(login);
    if (issuer === undefined) throw new Error("nobody is signed in");
    return issuer;
  };
  return extendFixture<WharfHome, Rotation>(at, {
    get robot() {
      return present();
    },
    set robot(login) {
      robot = login;
    },
    get tokensPath() {
      return tokensPath();
    },
    async deliver(more = "") {
      const deliveries = `deliver:\n  - { to: docker, at: local }\n  - { to: podman, at: local }\n${more}`;
      writeFileSync(join(at.home, "wharf.yaml"), `version: 1\nlogins: {}\n${deliveries}`);
      const logIn = `login ${at.server.address}/team -u ${present().username} --password-stdin --as team`;
      expect((await at.wharf(logIn, { input: present().secret })).code).toBe(0);
      expect((await at.wharf("apply --yes")).code).toBe(0);
    },
    async signIn() {
      const { url, admin } = at.server;
      const line = `sign-in ${url} -u ${admin.username} --password-stdin`;
      expect((await at.wharf(line, { input: admin.secret })).code).toBe(0);
    },
    dockerFile,
    delivered() {
      const { auths } = JSON.parse(readFileSync(dockerFile(), "utf8"));
      const pair = Buffer.from(auths[at.server.address].auth, "base64").toString();
      return pair.slice(pair.indexOf(":") + 1);
    },
    async isGood(secret) {
      const answer = await at.server.fetch("/v2/", { as: { username: present().username, secret } });
      return answer.status === 200;
    },
    async activeTokens() {
      const { items } = (await at.server.api("GET", tokensPath())) as { items: { state: string }[] };
      return items.filter(({ state }) => state === "active").length;
    },
    goesOn: async () =>
      !(await at.wharf("rotate team --continue")).err.includes("no rotation of team is under way"),
    rotateInput,
    issuerHere,
    async killAt(stage) {
      const input = await rotateInput({
        said(now) {
          if (now === stage) throw new Error("killed here");
        },
      });
      const fresh = { kind: "issuer", issuer: await issuerHere(input) } as const;
      await expect(beginRotation(rotationContext, input, "team", fresh)).rejects.toThrow("killed here");
    },
  });
}
