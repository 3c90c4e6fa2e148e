import { expect, test } from "bun:test";
import { WorkQueue } from "./work-queue.ts";

const never = new AbortController().signal;

test("what is named while nobody looks is looked at once, together", async () => {
  const queue = new WorkQueue();
  for (const name of ["a", "b", "a", "b"]) queue.add(name);
  expect(queue.size).toBe(2);
  expect(await queue.next(never)).toEqual(new Set(["a", "b"]));
  expect(queue.size).toBe(0);
});

test("somebody who waits is woken, by one or by all", async () => {
  const queue = new WorkQueue();
  const one = queue.next(never);
  queue.add("a");
  expect(await one).toEqual(new Set(["a"]));
  const all = queue.next(never);
  queue.addAll();
  queue.add("covered by all");
  expect(await all).toBe("all");
  expect(queue.size).toBe(0);
});

test("very many are all", async () => {
  const queue = new WorkQueue();
  for (let index = 0; index < 10_000; index++) queue.add(`n${index}`);
  expect(queue.size).toBe(Number.POSITIVE_INFINITY);
  expect(await queue.next(never)).toBe("all");
});

test("what failed comes back by itself, and not when the queue is closed", async () => {
  const queue = new WorkQueue();
  queue.failed(new Set(["a"]));
  expect(queue.size).toBe(0);
  expect(await queue.next(never)).toEqual(new Set(["a"]));
  queue.succeeded(new Set(["a"]));
  queue.failed("all");
  expect(await queue.next(never)).toBe("all");
  queue.failed(new Set(["b"]));
  queue.close();
  const stop = AbortSignal.timeout(1500);
  expect(await queue.next(stop)).toBeUndefined();
});

test("an end is told at once, also one that came before", async () => {
  const queue = new WorkQueue();
  const stop = new AbortController();
  const next = queue.next(stop.signal);
  stop.abort();
  expect(await next).toBeUndefined();
  queue.add("a");
  expect(await queue.next(stop.signal)).toBeUndefined();
});
