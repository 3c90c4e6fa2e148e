import { expect, test } from "bun:test";
import { type Answer, Answers } from "./answers.ts";

function fixture(maxBytes = 100_000) {
  let mark = 1;
  const answers = new Answers({ mark: () => mark, accessMark: () => mark }, maxBytes);
  return { answers, mark: () => mark, move: () => void mark++ };
}

const answer = (length = 10): Answer => ({
  repository: "team/app",
  etag: '"x"',
  headers: {},
  body: new Uint8Array(length),
  sizeBytes: length,
  ranges: false,
});

test("an answer holds under its mark, for its key, until its end", () => {
  const { answers, mark, move } = fixture();
  const kept = answer();
  answers.remember("GET a\nBearer 1", kept, { mark: mark(), until: 1000 }, 0);
  expect(answers.find("GET a\nBearer 1", 999)).toBe(kept);
  expect(answers.find("GET a\nBearer 2", 999)).toBeUndefined();
  expect(answers.find("HEAD a\nBearer 1", 999)).toBeUndefined();
  expect(answers.find("GET a\nBearer 1", 1000)).toBeUndefined();
  answers.remember("GET a\nBearer 1", kept, { mark: mark(), until: 1000 }, 0);
  move();
  expect(answers.find("GET a\nBearer 1", 1)).toBeUndefined();
});

test("an answer that was made while something changed never holds", () => {
  const { answers, mark, move } = fixture();
  const before = mark();
  move();
  answers.remember("k", answer(), { mark: before, until: 1000 }, 0);
  expect(answers.find("k", 1)).toBeUndefined();
});

test("memory is bounded: the oldest go, large bodies never come", () => {
  const { answers, mark } = fixture(10_000);
  for (let index = 0; index < 1000; index++)
    answers.remember(`k${index}`, answer(300), { mark: mark(), until: 1000 }, 0);
  const kept = Array.from({ length: 1000 }, (_, index) => answers.find(`k${index}`, 1)).filter(Boolean);
  expect(kept.length).toBeGreaterThan(3);
  expect(kept.length).toBeLessThanOrEqual(10);
  expect(answers.find("k999", 1)).toBeDefined();
  answers.remember("large", answer(1_000_000), { mark: mark(), until: 1000 }, 0);
  expect(answers.find("large", 1)).toBeUndefined();
  for (let index = 0; index < 1000; index++)
    answers.remember("same", answer(300), { mark: mark(), until: 1000 }, 0);
  expect(answers.find("k999", 1)).toBeDefined();
});

test("what no longer holds goes though there is room: credentials change, and each has answers of its own", () => {
  const { answers, mark } = fixture(1_000_000_000);
  for (let now = 0; now < 10_000; now++) {
    answers.remember(`GET a\nBearer ${now}`, answer(300), { mark: mark(), until: now + 30 }, now);
  }
  expect(answers.find("GET a\nBearer 9999", 9_999)).toBeDefined();
  expect(answers.find("GET a\nBearer 9970", 9_999)).toBeDefined();
  expect(answers.sizeBytes).toBeLessThan(31 * 2000);
});
