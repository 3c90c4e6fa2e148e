import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { parseScopes } from "./token-endpoint.ts";

const SEED = 20261122;

test("scopes in one parameter or several", () => {
  const pull = { type: "repository" as const, name: "team/app", actions: ["pull"] };
  const catalog = { type: "registry" as const, name: "catalog", actions: ["*"] };
  expect(parseScopes(["repository:team/app:pull", "registry:catalog:*"])).toEqual([pull, catalog]);
  expect(parseScopes(["repository:team/app:pull  registry:catalog:*", ""])).toEqual([pull, catalog]);
  expect(parseScopes(["repository(plugin):team/app:pull"])).toEqual([pull]);
  expect(parseScopes(["repository:host:5000/app:pull,push"])).toEqual([
    { type: "repository", name: "host:5000/app", actions: ["pull", "push"] },
  ]);
});

test("what is no scope of ours is left out, too many are refused", () => {
  expect(
    parseScopes(["pull", "repository:team/app", "artifact:x:pull", `repository:${"a".repeat(2000)}:pull`]),
  ).toEqual([]);
  expect(() => parseScopes(Array.from({ length: 101 }, () => "repository:a:pull"))).toThrow("more than 100");
  fc.assert(
    fc.property(fc.array(fc.string()), (values) => {
      try {
        for (const scope of parseScopes(values)) expect(["repository", "registry"]).toContain(scope.type);
      } catch (cause) {
        expect(isAppError(cause, "INVALID_INPUT")).toBe(true);
      }
    }),
    { seed: SEED },
  );
});
