import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { createTestClock } from "../../test/support/accounts.ts";
import { createThrottle, renderNetwork, type Throttle } from "./throttle.ts";

/** Seconds to wait; 0 when the guess was let through (and was wrong). */
function guess(throttle: Throttle, account = "alice", address = "192.0.2.1"): number {
  try {
    throttle.begin(account, address)("wrong");
    return 0;
  } catch (error) {
    if (!isAppError(error, "TOO_MANY_REQUESTS")) throw error;
    return Number(error.details?.["retryAfterSeconds"]);
  }
}

test("pauses double from the fifth failure on, to a quarter of an hour, and are forgotten", () => {
  const clock = createTestClock();
  const throttle = createThrottle(clock);
  const pauses: number[] = [];
  for (let failure = 0; failure < 18; failure++) {
    expect(guess(throttle)).toBe(0);
    const wait = guess(throttle);
    // The answer of the second one is not counted: only a checked guess is.
    if (wait === 0) continue;
    pauses.push(wait);
    clock.forward(wait * 1000);
  }
  expect(pauses.slice(0, 5)).toEqual([1, 2, 4, 8, 16]);
  expect(pauses.at(-1)).toBe(900);
  clock.forward(31 * 60_000);
  expect(guess(throttle)).toBe(0);
  expect(guess(throttle)).toBe(0);
});

test("a right password clears the record, a fault of ours changes nothing", () => {
  const throttle = createThrottle(createTestClock());
  for (let failure = 0; failure < 4; failure++) guess(throttle);
  throttle.begin("alice", "192.0.2.1")("unknown");
  throttle.begin("alice", "192.0.2.1")("right");
  for (let failure = 0; failure < 5; failure++) expect(guess(throttle)).toBe(0);
  expect(guess(throttle)).toBe(1);
});

test("whatever others fail at, an account from its own address is let through", () => {
  const other = fc.record({
    account: fc.constantFrom("alice", "bob", "carol"),
    address: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1"),
    pauseMs: fc.nat(2_000),
  });
  fc.assert(
    fc.property(fc.array(other, { maxLength: 200 }), (failures) => {
      const clock = createTestClock();
      const throttle = createThrottle(clock);
      for (const { account, address, pauseMs } of failures) {
        guess(throttle, account, address);
        clock.forward(pauseMs);
      }
      expect(guess(throttle, "dave", "192.0.2.1")).toBe(0);
      expect(guess(throttle, "alice", "198.51.100.1")).toBe(0);
    }),
    { seed: 3, numRuns: 100 },
  );
});

test("guesses under way count, so a burst is no way round", () => {
  const throttle = createThrottle(createTestClock());
  const open = Array.from({ length: 5 }, () => throttle.begin("alice", "192.0.2.1"));
  expect(guess(throttle)).toBe(1);
  for (const close of open) close("wrong");
  expect(guess(throttle)).toBe(1);
});

test("the table is bounded, and what is being guessed at stays in it", () => {
  const throttle = createThrottle(createTestClock(), 100);
  for (let failure = 0; failure < 5; failure++) guess(throttle);
  for (let index = 0; index < 50; index++) {
    guess(throttle, `user${index}`);
    expect(guess(throttle)).toBeGreaterThan(0);
  }
  for (let index = 0; index < 200; index++) guess(throttle, `flood${index}`);
  expect(guess(throttle, "flood0")).toBe(0);
});

test("the addresses of one IPv6 network count as one", () => {
  expect(renderNetwork("2001:db8:1:2::1")).toBe(renderNetwork("2001:0db8:0001:0002:ffff:1:2:3"));
  expect(renderNetwork("2001:db8:1:2::1")).not.toBe(renderNetwork("2001:db8:1:3::1"));
  expect(renderNetwork("::1")).toBe("0:0:0:0");
  expect(renderNetwork("192.0.2.1")).toBe("192.0.2.1");
  expect(renderNetwork("::ffff:192.0.2.1")).toBe("::ffff:192.0.2.1");
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      expect(renderNetwork(address).length).toBeLessThan(60);
    }),
    { seed: 3 },
  );
});
