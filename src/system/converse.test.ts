import { expect, test } from "bun:test";
import { type AppError, type Context, silentLogger } from "#core";
import { converse } from "./converse.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const limits = { timeoutMs: 30_000, maxBytes: 100_000 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (found: Uint8Array): string => new TextDecoder().decode(found);
const env = { PATH: "/usr/bin:/bin" };
const talk = (script: string) => converse({ argv: ["/bin/sh", "-c", script], env });

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "no error",
    (cause: AppError) => cause.code,
  );
}

test("one question after another, each with its own answer, and an end by itself", async () => {
  const one = talk('while read -r line; do printf "%s!\\nLAST\\n" "$line"; done; echo gone >&2; exit 7');
  expect(text(await one.ask(context, bytes("a\n"), "LAST", limits))).toBe("a!\nLAST\n");
  expect(text(await one.ask(context, bytes("b\n"), "LAST", limits))).toBe("b!\nLAST\n");
  expect(one.isOver).toBe(false);
  one.close();
  expect(one.isOver).toBe(true);
  expect(await one.ended).toEqual({ exitCode: 7, stderr: "gone\n" });
});

test("it tells when it prints for the first time, before the answer is whole; or that it never will", async () => {
  const one = talk("echo up; read -r line; read -r line; echo LAST");
  const asked = one.ask(context, bytes("a\n"), "LAST", limits);
  await one.begun;
  expect(one.isOver).toBe(false);
  one.close();
  expect(text(await asked)).toBe("up\nLAST\n");
  const silent = talk("exit 1");
  await silent.begun;
  expect((await silent.ended).exitCode).toBe(1);
});

test("a program that ends before the last line: what it printed until then", async () => {
  const one = talk("read -r line; echo half; exit 3");
  expect(text(await one.ask(context, bytes("a\n"), "LAST", limits))).toBe("half\n");
  expect((await one.ended).exitCode).toBe(3);
  // Who is asked after its end answers nothing.
  expect(text(await one.ask(context, bytes("b\n"), "LAST", limits))).toBe("");
});

test("more than a pipe holds goes in and comes out", async () => {
  const one = talk("dd bs=300000 count=1 iflag=fullblock 2>/dev/null; echo LAST");
  const much = { ...limits, maxBytes: 1_000_000 };
  const found = await one.ask(context, bytes("x".repeat(300_000)), "LAST", much);
  expect(found.length).toBe(300_005);
  await one.ended;
});

test("too slow, too much, or stopped: an error, and the program is ended", async () => {
  const slow = talk("read -r line; read -r line");
  expect(await codeOf(slow.ask(context, bytes("a\n"), "LAST", { ...limits, timeoutMs: 50 }))).toBe(
    "PROGRAM_FAILED",
  );
  expect((await slow.ended).exitCode).not.toBe(0);
  const loud = talk("yes");
  expect(await codeOf(loud.ask(context, bytes(""), "LAST", limits))).toBe("PROGRAM_FAILED");
  await loud.ended;
  const stop = new AbortController();
  const stopped = talk("echo up; read -r line; read -r line");
  const asked = stopped.ask({ ...context, signal: stop.signal }, bytes("a\n"), "LAST", limits);
  stop.abort();
  expect(await codeOf(asked)).toBe("INTERRUPTED");
  await stopped.ended;
  expect(() => converse({ argv: ["/nowhere/at/all"], env })).toThrow("there is no program");
});
