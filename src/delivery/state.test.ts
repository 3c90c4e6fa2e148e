import { expect, test } from "bun:test";
import fc from "fast-check";
import { type AppError, Secret } from "#core";
import { createMarker, parseState, renderState } from "./state.ts";

const text = fc.string({ maxLength: 30 });
const record = fc.record({
  place: text,
  user: fc.option(text, { nil: undefined }),
  consumer: text,
  file: text,
  key: text,
  login: text,
  images: text,
  mark: text,
  time: text,
});
const optional = fc.oneof(
  record,
  fc.tuple(record, fc.dictionary(text, text)).map(([one, options]) => ({ ...one, options })),
);

const lists = fc.record({
  records: fc.array(optional, { maxLength: 8 }),
  failed: fc.array(text, { maxLength: 3 }),
  restarts: fc.array(fc.record({ place: text, consumer: text }), { maxLength: 3 }),
});

test("what is written is read again, in an order of its own", () => {
  fc.assert(
    fc.property(lists, ({ records, failed, restarts }) => {
      const state = parseState("wharf.state", renderState({ records, failed, restarts }));
      const read = state.records;
      expect(state.failed).toEqual([...failed].sort());
      expect(new Set(read.map((one) => JSON.stringify(one)))).toEqual(
        new Set(records.map((one) => JSON.stringify(one))),
      );
      expect(new Set(state.restarts.map((one) => JSON.stringify(one)))).toEqual(
        new Set(restarts.map((one) => JSON.stringify(one))),
      );
      expect(renderState({ records: [...read].reverse(), failed, restarts })).toBe(renderState(state));
    }),
    { seed: 9, numRuns: 200 },
  );
});

test("whatever lies there, an error is ours and names the file", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.json().map((json) => `{"version":1,"delivered":[${json}]}`),
      ),
      (content) => {
        try {
          parseState("wharf.state", content);
        } catch (cause) {
          const error = cause as AppError;
          expect(["CONFIG_INVALID", "UNSUPPORTED"]).toContain(error.code);
          expect(error.message).toStartWith("wharf.state");
        }
      },
    ),
    { seed: 9, numRuns: 300 },
  );
});

test("a mark depends on every part, on where one ends, and on the vault's key", () => {
  const key = new Secret("00".repeat(32));
  const at = { place: "local", file: "/f", key: "k" };
  const content = { username: "u", secret: new Secret("s") };
  const marks = [
    createMarker(key)(at, content),
    createMarker(new Secret("01".repeat(32)))(at, content),
    createMarker(key)({ ...at, place: "folder:x" }, content),
    createMarker(key)({ ...at, file: "/fk", key: "" }, content),
    createMarker(key)({ ...at, key: "ku" }, { ...content, username: "" }),
    createMarker(key)(at, { ...content, username: "us", secret: new Secret("") }),
  ];
  expect(new Set(marks).size).toBe(marks.length);
  expect(createMarker(key)(at, content)).toBe(marks[0] ?? "");
});
