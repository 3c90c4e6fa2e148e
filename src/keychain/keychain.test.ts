import { expect, test } from "bun:test";
import fc from "fast-check";
import { consumers } from "#consumers";
import { type AppError, type Context, Secret, silentLogger } from "#core";
import { parseConfig } from "#logins";
import type { Place } from "#places";
import { createConfigKeychain } from "./config-keychain.ts";
import { loginForImage } from "./login-for-image.ts";
import { createMachineKeychain } from "./machine-keychain.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };

function configOf(logins: Readonly<Record<string, string>>, deliver = ""): ReturnType<typeof parseConfig> {
  const lines = Object.entries(logins).map(
    ([name, registry]) => `  ${name}: { registry: "${registry}", username: ${name} }\n`,
  );
  return parseConfig("/site/wharf.yaml", `version: 1\nlogins:\n${lines.join("")}${deliver}`, "/home/ann");
}

test("the longest path wins, by whole segments; Hub's names are one", () => {
  const config = configOf({
    host: "r.example",
    team: "r.example/team",
    deep: "r.example/team/ml",
    hub: "docker.io",
    port: "r.example:5000",
  });
  const name = (image: string): string | undefined => loginForImage(config, image)?.name;
  expect(name("r.example/other/app")).toBe("host");
  expect(name("r.example/team/app:1")).toBe("team");
  expect(name("r.example/team")).toBe("team");
  expect(name("r.example/teamwork/app")).toBe("host");
  expect(name("r.example/team/ml/app@sha256:" + "0".repeat(64))).toBe("deep");
  expect(name("r.example:5000/team/app")).toBe("port");
  expect(name("nginx")).toBe("hub");
  expect(name("index.docker.io/library/nginx")).toBe("hub");
  expect(name("elsewhere.example/x")).toBeUndefined();
});

test("logins that deliveries split have no answer of their own", () => {
  const config = configOf(
    { ann: "r.example", bob: "r.example" },
    "deliver:\n  - { to: docker, users: { ann: [ann], bob: [bob] } }\n",
  );
  expect(() => loginForImage(config, "r.example/x")).toThrow(
    expect.objectContaining({ code: "LOGINS_COLLIDE" }),
  );
});

test("no login is a value, and no source is asked then", async () => {
  const config = configOf({ a: "r.example" });
  let asked = 0;
  const keychain = createConfigKeychain(config, {
    read: () => {
      asked++;
      return Promise.resolve(new Secret("word"));
    },
  });
  expect(await keychain.find(context, "other.example/x")).toBe("anonymous");
  expect(asked).toBe(0);
  expect(await keychain.find(context, "r.example/x")).toMatchObject({
    username: "a",
    from: "login a of /site/wharf.yaml",
  });
  expect(asked).toBe(1);
});

test("the one that is found always covers the image, and none that covers it has a longer path", () => {
  const segment = fc.constantFrom("a", "ab", "b");
  const path = fc.array(segment, { maxLength: 3 });
  fc.assert(
    fc.property(
      fc.uniqueArray(path, { maxLength: 5, selector: (one) => one.join("/") }),
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      (paths, image) => {
        const config = configOf(
          Object.fromEntries(paths.map((one, index) => [`l${index}`, ["r.example", ...one].join("/")])),
        );
        const found = loginForImage(config, `r.example/${image.join("/")}`);
        const covering = paths.filter((one) => one.every((part, index) => image[index] === part));
        expect(found?.path ?? (found === undefined ? undefined : "")).toBe(
          covering.sort((a, b) => b.length - a.length)[0]?.join("/"),
        );
      },
    ),
    { seed: 11, numRuns: 300 },
  );
});

test("a machine's keychain is what its programs would send; a broken file is passed over", async () => {
  const pair = Buffer.from("me:mine").toString("base64");
  const files = new Map([
    ["/home/ann/.docker/config.json", "{ broken"],
    ["/home/ann/.config/containers/auth.json", JSON.stringify({ auths: { "r.example": { auth: pair } } })],
  ]);
  const place = {
    name: "local",
    facts: () => Promise.resolve({ home: "/home/ann", user: "ann", uid: 1000, env: {} }),
    read: (_context: Context, path: string) => {
      const text = files.get(path);
      return Promise.resolve(
        text === undefined ? undefined : { bytes: Buffer.from(text), mode: 0o600, uid: 0, gid: 0 },
      );
    },
  } as unknown as Place;
  const keychain = createMachineKeychain(place, consumers);
  expect(await keychain.find(context, "r.example/x")).toMatchObject({
    username: "me",
    from: "podman: r.example in /home/ann/.config/containers/auth.json",
  });
  const failure: AppError = await keychain.find(context, "r.example/UPPER").then(
    () => new Error("it was taken"),
    (cause) => cause,
  );
  expect(failure.name).toBe("AppError");
});
