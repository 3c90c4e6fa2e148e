import { expect, test } from "bun:test";
import { AppError, Secret } from "#core";
import { createLogger, type LoggerOptions } from "./log.ts";

function lines(format: LoggerOptions["format"], level: LoggerOptions["level"] = "debug") {
  const written: string[] = [];
  const clock = { now: () => 0, monotonicMs: () => 0 };
  return { log: createLogger({ level, format, clock, write: (line) => written.push(line) }), written };
}

test("json lines hold time, level, message and fields", () => {
  const { log, written } = lines("json");
  log.info("listening", { port: 5000, none: undefined });
  expect(written).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"listening","port":5000}\n',
  ]);
});

test("lines below the level are not written", () => {
  const { log, written } = lines("human", "warn");
  log.info("no");
  log.warn("yes");
  expect(written).toEqual(["00:00:00.000 warn  yes\n"]);
});

test("secrets do not show, by type or by name, at any depth", () => {
  for (const format of ["json", "human"] as const) {
    const { log, written } = lines(format);
    const canary = "canary-5f1c";
    log.error("failed", {
      value: new Secret(canary),
      authorization: `Basic ${canary}`,
      nested: { list: [{ password: canary, accessToken: canary, "x-api-key": canary }] },
      headers: new Headers({ cookie: canary }),
      bytes: new TextEncoder().encode(canary),
      error: new AppError("UNAUTHORIZED", "refused", { cause: new Error("why") }),
    });
    expect(written.join("")).not.toContain(canary);
    expect(written.join("")).toContain("[secret]");
    expect(written.join("")).toContain("why");
  }
});

test("no field can begin a line or steer a terminal", () => {
  for (const format of ["json", "human"] as const) {
    const { log, written } = lines(format);
    log.info("bad\nmessage", { path: "/v2/\u001b[2J\r\nfake" });
    expect(written).toHaveLength(1);
    expect(written[0]?.slice(0, -1)).not.toMatch(/\p{Cc}/u);
  }
});

test("circular and deep values end", () => {
  const { log, written } = lines("json");
  const ring: Record<string, unknown> = {};
  ring["self"] = ring;
  log.info("ring", { ring });
  expect(written).toHaveLength(1);
});
