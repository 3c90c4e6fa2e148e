import { expect, test } from "bun:test";
import { AppError } from "./app-error.ts";
import { toProblem } from "./problem.ts";

test("a problem says why and what to do, but of our own faults the summary alone", () => {
  const extra = { hint: "restore /srv/data", details: { path: "/srv/data" } };
  for (const code of ["STORAGE_FAILED", "PERMISSION_DENIED", "INTERNAL"] as const) {
    const error = new AppError(code, "opening /srv/data/wharf.db: EIO", extra);
    const problem = toProblem(error);
    expect(JSON.stringify(problem)).not.toContain("/srv");
    expect([problem.code, problem.detail]).toEqual([code, error.row.summary]);
  }
  const refused = toProblem(new AppError("CONFLICT", "it holds images", { hint: "delete them first" }));
  expect([refused.detail, refused.hint]).toEqual(["it holds images", "delete them first"]);
});
