import { expect, test } from "bun:test";
import { AppError, type LogFields, silentLogger } from "#core";
import { toErrorResponse } from "./error-response.ts";

const challenge = (): string => "Bearer";

test("a fault of the machine or of wharf says no path and no row to the client; the log has all of it", async () => {
  for (const code of ["STORAGE_FAILED", "PERMISSION_DENIED", "INTERNAL"] as const) {
    const logged: (LogFields | undefined)[] = [];
    const log = { ...silentLogger, error: (_: string, fields?: LogFields) => void logged.push(fields) };
    const cause = new AppError(code, "opening /srv/data/uploads/x: EIO", { hint: "restore /srv/data" });
    const response = toErrorResponse(cause, { challenge, log });
    const text = await response.text();
    expect([code, response.status, text.includes("/srv")]).toEqual([code, 500, false]);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ detail: { reason: code } }] });
    expect(JSON.stringify(logged)).toContain("opening /srv/data/uploads/x: EIO");
    expect(JSON.stringify(logged)).toContain("restore /srv/data");
  }
});

test("a refusal says why and what to do; nothing is logged of it", async () => {
  const log = { ...silentLogger, error: () => expect.unreachable() };
  const cause = new AppError("DENIED", "you may not push", { hint: "ask an owner" });
  const text = await toErrorResponse(cause, { challenge, log }).text();
  expect(JSON.parse(text)).toEqual({
    errors: [
      {
        code: "DENIED",
        message: "you may not push; ask an owner",
        detail: { reason: "DENIED", hint: "ask an owner" },
      },
    ],
  });
});
