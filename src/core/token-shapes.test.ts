import { expect, test } from "bun:test";
import { findToken } from "./token-shapes.ts";

test("tokens are found where they stand, names that only begin alike are not", () => {
  expect(findToken(`a ghp_${"a1B2".repeat(9)}`)).toEqual({ index: 2, what: "a GitHub token" });
  expect(findToken(`wharf_${"aZ3-".repeat(8)}`)?.what).toBe("a Wharfinger token");
  // A metric of ours, taken for a token once.
  expect(findToken("wharf_login_expires_timestamp_seconds")).toBeUndefined();
  expect(findToken("the key begins with nvapi-")).toBeUndefined();
});
