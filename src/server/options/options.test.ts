import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "#core";
import { parseListenAddress, renderHostPort } from "./listen-address.ts";
import { parseNetworkList, plainAddress } from "./network-list.ts";
import { parseServeConfig } from "./parse-serve-config.ts";
import { parseServeOptions, type ServeValues } from "./parse-serve-options.ts";
import { serveOptions } from "./serve-options.ts";

function refusal(values: ServeValues): AppError {
  try {
    parseServeOptions(values, "/srv");
  } catch (cause) {
    if (cause instanceof AppError) return cause;
    throw cause;
  }
  throw new Error("not refused");
}

test("nothing said: this machine alone, plain HTTP, data beside the caller", () => {
  expect(parseServeOptions({}, "/srv")).toMatchObject({
    dataDir: "/srv/wharf-data",
    listen: { host: "127.0.0.1", port: 5000 },
    publicUrl: undefined,
    tls: { kind: "none" },
    metrics: "local",
    logLevel: "info",
    stopSeconds: 25,
    stallSeconds: 300,
  });
});

test("plain HTTP beyond this machine is refused unless it was asked for", () => {
  for (const listen of [
    "0.0.0.0:5000",
    ":5000",
    "[::]:5000",
    "192.0.2.7:5000",
    "example.org:5000",
    "[::ffff:1.2.3.4]:1",
  ]) {
    expect(refusal({ listen }).code).toBe("INSECURE_LISTEN");
    for (const values of [{ "insecure-http": true }, { "behind-proxy": "10.0.0.0/8" }, { tls: "auto" }])
      expect(() => parseServeOptions({ listen, ...values }, "/")).not.toThrow();
  }
  for (const listen of ["127.0.0.1:5000", "127.8.9.1:0", "[::1]:5000", "localhost:5000", "5000"])
    expect(() => parseServeOptions({ listen }, "/")).not.toThrow();
});

test("what does not go together or is malformed is refused, with what to do", () => {
  const cases: [ServeValues, string][] = [
    [{ "tls-cert": "a" }, "USAGE"],
    [{ "tls-key": "a" }, "USAGE"],
    [{ tls: "auto", "tls-cert": "a", "tls-key": "b" }, "USAGE"],
    [{ tls: "yes" }, "USAGE"],
    [{ listen: "127.0.0.1:65536" }, "INVALID_INPUT"],
    [{ listen: "a b:1" }, "INVALID_INPUT"],
    [{ listen: "[127.0.0.1]:1" }, "INVALID_INPUT"],
    [{ url: "registry.example.org" }, "INVALID_INPUT"],
    [{ url: "https://registry.example.org/path" }, "INVALID_INPUT"],
    [{ url: "https://user:pass@registry.example.org" }, "INVALID_INPUT"],
    [{ url: "ftp://registry.example.org" }, "INVALID_INPUT"],
    [{ "behind-proxy": "10.0.0.0/33" }, "INVALID_INPUT"],
    [{ "behind-proxy": ["10.0.0.0/8", "proxy.example.org"] }, "INVALID_INPUT"],
    [{ "stop-seconds": "-1" }, "USAGE"],
    [{ "stall-seconds": "0" }, "USAGE"],
    [{ "log-level": "loud" }, "USAGE"],
    [{ data: "" }, "USAGE"],
  ];
  for (const [values, code] of cases) {
    const error = refusal(values);
    expect([values, error.code]).toEqual([values, code as AppError["code"]]);
    expect(error.message).toBe(error.message.trim());
  }
  expect(parseServeOptions({ url: "https://Registry.Example.ORG/" }, "/").publicUrl).toBe(
    "https://registry.example.org",
  );
});

test("an address to listen on reads back as it prints", () => {
  const address = fc.record({
    host: fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((host) => host.toLowerCase()),
      fc.constantFrom("localhost", "a.example.org"),
    ),
    port: fc.integer({ min: 0, max: 65_535 }),
  });
  fc.assert(
    fc.property(address, (value) => {
      expect(parseListenAddress(renderHostPort(value))).toEqual(value);
    }),
    { seed: 3 },
  );
});

test("any text is an address to listen on or INVALID_INPUT", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `${text}:5000`),
      ),
      (text) => {
        try {
          expect(parseListenAddress(text).port).toBeLessThan(65_536);
        } catch (cause) {
          expect(cause).toMatchObject({ code: "INVALID_INPUT" });
        }
      },
    ),
    { seed: 3 },
  );
});

test("networks hold what lies in them, of both families", () => {
  const list = parseNetworkList(["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
  for (const inside of ["10.255.0.1", "192.0.2.7", "fd12::1"])
    expect([inside, list.has(inside)]).toEqual([inside, true]);
  for (const outside of ["11.0.0.1", "192.0.2.8", "fe80::1", "", "nonsense"])
    expect([outside, list.has(outside)]).toEqual([outside, false]);
  expect(parseNetworkList([]).has("127.0.0.1")).toBe(false);
  expect(plainAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
  expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
});

test("the configuration file takes the same names", async () => {
  const text = [
    "# the registry of the cluster",
    "data: /srv/wharf",
    "listen: 0.0.0.0:5000",
    "insecure-http: true",
    "behind-proxy: [10.0.0.0/8, fd00::/8]",
    "stop-seconds: 60",
  ].join("\n");
  const values = await parseServeConfig(text, "wharf-serve.yaml");
  expect(parseServeOptions(values, "/")).toMatchObject({ dataDir: "/srv/wharf", stopSeconds: 60 });
  expect(await parseServeConfig("", "empty.yaml")).toEqual({});
});

test("mistakes in the configuration file are named with line and nearest name, and never quoted from it", async () => {
  const broken = async (text: string): Promise<AppError> => {
    const cause: unknown = await parseServeConfig(text, "f.yaml").then(
      () => undefined,
      (error: unknown) => error,
    );
    if (cause instanceof AppError && cause.code === "CONFIG_INVALID") return cause;
    throw new Error(`not refused: ${text}`, { cause });
  };
  const unknown = await broken("data: /x\nlissten: 1.2.3.4:5\n");
  expect(unknown.message).toBe('f.yaml, line 2, column 1: there is no option "lissten"');
  expect(unknown.hint).toBe("did you mean listen?");
  expect((await broken("data: [1, 2]")).message).toContain("line 1");
  expect((await broken("insecure-http: maybe")).message).toContain("true or false");
  expect((await broken("- data")).message).toContain("name: value");
  expect((await broken("data: a\ndata: b")).message).toContain("line 2");
  expect((await broken('url: "https://canary\nx: [')).message).not.toContain("canary");
});

test("any text is a configuration or CONFIG_INVALID", async () => {
  const names = fc.constantFrom(...serveOptions.map((option) => option.name), "x");
  const line = fc.tuple(names, fc.json()).map(([name, value]) => `${name}: ${value}\n`);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.array(line).map((lines) => lines.join("")),
      ),
      async (text) => {
        try {
          expect(typeof (await parseServeConfig(text, "f"))).toBe("object");
        } catch (cause) {
          expect(cause).toMatchObject({ code: "CONFIG_INVALID" });
        }
      },
    ),
    { seed: 3 },
  );
});
