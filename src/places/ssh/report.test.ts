import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parseAnswer, parseMore, parseReport } from "./report.ts";
import { parseSettings } from "./settings.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("what start-up files print is passed over; how far it came is told", () => {
  const whole = "motd\n\nN login\nmore\n\nN begin\nfile 600 0 0\nYQ==\n\nN next\ndone\n\nN next\nN end\n";
  expect(parseReport(bytes(whole), "N")).toEqual({
    stage: "end",
    answers: ["file 600 0 0\nYQ==\n", "done\n"],
  });
  // An answer counts when it is whole.
  const cut = parseReport(bytes(whole.slice(0, whole.indexOf("done"))), "N");
  expect(cut).toEqual({ stage: "begin", answers: ["file 600 0 0\nYQ==\n"] });
  expect(parseMore(bytes("\nN next\nN end\n"), "N")).toEqual({ stage: "end", answers: [""] });
  expect(parseReport(bytes("motd"), "N").stage).toBe("none");
  expect(parseReport(bytes("\nN login\n"), "N").stage).toBe("login");
  expect(parseReport(bytes("\nN login\nN stranger\n"), "N").stage).toBe("stranger");
  expect(parseReport(bytes("\nN login\n\nN begin\nnone\n"), "N").stage).toBe("begin");
});

test("NFS that refuses is named: root_squash for root, a ticket for a person", () => {
  for (const [uid, words] of [
    ["0", "root_squash"],
    ["1000", "refuses this user"],
  ] as const)
    expect(() => parseAnswer(`error NFS_REFUSED ${uid}`, "writing /x on ssh://h")).toThrow(words);
});

test("whatever a host says: an answer, or an error of ours", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `error ${text}`),
      ),
      fc.uint8Array(),
      (line, noise) => {
        parseReport(noise, "N");
        parseSettings(line);
        try {
          parseAnswer(line, "reading /x on ssh://h");
        } catch (cause) {
          expect(isAppError(cause)).toBe(true);
        }
      },
    ),
    { seed: 20261122, numRuns: 500 },
  );
});
