import { expect, test } from "bun:test";
import fc from "fast-check";
import type { CheckReport } from "#delivery";
import { renderPrometheus } from "./render-prometheus.ts";

test("whatever a place is called, each line is one sample, and the name is read back", () => {
  const line = /^[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? [\d.e+]+$/;
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (place) => {
      const target = {
        consumer: "docker",
        place,
        user: undefined,
        files: [],
        refusals: [],
        warnings: [],
        shadowed: [],
      };
      const plan = { targets: [{ ...target, error: undefined }] };
      const report: CheckReport = { plan, logins: [], fromTargets: [], rotations: new Map(), isGood: true };
      const text = renderPrometheus(report, new Date(0));
      expect(text.endsWith("\n")).toBe(true);
      for (const one of text.slice(0, -1).split("\n"))
        expect(one.startsWith("# ") || line.test(one)).toBe(true);
      const written = /place="((?:[^"\\]|\\.)*)"/s.exec(text)?.[1] ?? "";
      const unescaped = written.replaceAll(/\\(.)/gs, (_, char: string) => (char === "n" ? "\n" : char));
      expect(unescaped).toBe(place);
    }),
    { seed: 6, numRuns: 300 },
  );
});
