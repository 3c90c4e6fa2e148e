import { expect, test } from "bun:test";
import type { PullProgress } from "#images";
import type { Terminal } from "#system";
import { createPullDisplay, renderProgress } from "./pull-display.ts";
import { renderBytes } from "./render-bytes.ts";

const progress: PullProgress = {
  phase: "making",
  totalBytes: 2_000_000_000,
  networkBytes: 400_000_000,
  cachedBytes: 100_000_000,
  writtenBytes: 1_234_567_890,
};

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KB"],
  [12_345, "12 KB"],
  [999_600, "1.0 MB"],
  [3.2e12, "3.2 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(renderBytes(bytes)).toBe(text);
});

test("a line says what is there, what was written, how fast and how long", () => {
  expect(renderProgress(progress, 10_000)).toBe(
    "[######------------------] 500 MB of 2.0 GB, 1.2 GB written, 40 MB/s, 38 s left",
  );
  expect(renderProgress({ ...progress, networkBytes: 1_900_000_000 }, 10_000)).toBe(
    "[########################] 2.0 GB of 2.0 GB, 1.2 GB written",
  );
  expect(renderProgress({ ...progress, phase: "asking" }, 0)).toBe("asking the registry");
  expect(renderProgress({ ...progress, phase: "finishing" }, 0)).toBe("finishing: 1.2 GB written");
});

function displayed(isErrTerminal: boolean, isShown: boolean): { text: string; tick: (ms: number) => void } {
  let now = 0;
  const state = { text: "", tick: (_ms: number) => undefined as void };
  const terminal = { isErrTerminal, err: (text: string) => void (state.text += text) } as unknown as Terminal;
  const display = createPullDisplay(terminal, { isShown, out: "a", now: () => now });
  state.tick = (ms) => {
    now += ms;
    display.update(progress);
    if (ms === 0) display.end();
  };
  return state;
}

test("at a terminal one line is written over and goes, elsewhere there is a line now and then", () => {
  const watched = displayed(true, true);
  for (const ms of [1, 1, 1, 200, 0]) watched.tick(ms);
  expect(watched.text.split("\r")).toHaveLength(4);
  expect(watched.text).toEndWith("\r\u001b[K");
  expect(watched.text).not.toContain("\n");

  const log = displayed(false, true);
  for (const ms of [1, 100, 9000, 2000, 100]) log.tick(ms);
  expect(log.text.split("\n")).toHaveLength(2);

  const quiet = displayed(true, false);
  for (const ms of [1, 20_000, 0]) quiet.tick(ms);
  expect(quiet.text).toBe("");
});
