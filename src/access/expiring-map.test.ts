import { expect, test } from "bun:test";
import { ExpiringMap } from "./expiring-map.ts";

function fixture(max = 1000) {
  let now = 0;
  const map = new ExpiringMap<number>(max, (until) => until <= now);
  return { map, at: (time: number) => void (now = time) };
}

test("what is dead goes though the map never fills, and one that lives on is no obstacle", () => {
  const { map, at } = fixture();
  map.set("for ever", Number.POSITIVE_INFINITY);
  for (let time = 0; time < 10_000; time++) {
    at(time);
    map.set(`${time}`, time + 50);
  }
  expect(map.get("for ever")).toBe(Number.POSITIVE_INFINITY);
  for (let time = 9_950; time < 10_000; time++) expect(map.get(`${time}`)).toBe(time + 50);
  expect(map.size).toBeLessThanOrEqual(2 * 51);
});

test("it is bounded when all live, and holds the newest", () => {
  const { map } = fixture(10);
  for (let index = 0; index < 1000; index++) map.set(`${index}`, 1);
  expect(map.size).toBeLessThanOrEqual(10);
  expect(map.get("999")).toBe(1);
});

test("an entry set again has its new value", () => {
  const { map, at } = fixture();
  map.set("a", 1);
  map.set("a", 5);
  at(3);
  map.set("b", 9);
  expect([map.get("a"), map.get("b"), map.size]).toEqual([5, 9, 2]);
});
