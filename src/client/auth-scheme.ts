import { AppError } from "#core";
import { isLoopbackHost } from "#system";
import { parseChallenges } from "./challenge.ts";
import type { AuthScheme } from "./contract.ts";

/** A challenge that we can answer, and the scopes that it asks for. */
export interface Demand {
  readonly auth: AuthScheme;
  readonly scopes: readonly string[];
}

/**
 * What a 401's WWW-Authenticate demands: Bearer before Basic. `none` where there is no challenge.
 * `base` is the registry's own URL: a registry with TLS may not send a login to an endpoint without.
 * Throws REGISTRY_FAILED for a challenge that cannot or must not be answered.
 */
export function readDemand(header: string | null, base: string): Demand {
  const challenges = parseChallenges(header ?? "");
  const bearer = challenges.find((challenge) => challenge.scheme === "bearer");
  if (bearer !== undefined) {
    const scopes = (bearer.parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    return {
      auth: {
        kind: "bearer",
        realm: parseRealm(bearer.parameters.get("realm"), base),
        service: bearer.parameters.get("service"), // NGC sends none
      },
      scopes,
    };
  }
  if (challenges.some((challenge) => challenge.scheme === "basic"))
    return { auth: { kind: "basic" }, scopes: [] };
  const first = challenges[0];
  if (first === undefined) return { auth: { kind: "none" }, scopes: [] };
  throw new AppError("REGISTRY_FAILED", "the registry asks for a kind of login that wharf does not know", {
    details: { scheme: first.scheme.slice(0, 40) },
  });
}

function parseRealm(text: string | undefined, base: string): URL {
  const realm = text === undefined ? null : URL.parse(text, base);
  if (realm === null || (realm.protocol !== "https:" && realm.protocol !== "http:")) {
    throw new AppError("REGISTRY_FAILED", "the registry names no token endpoint that can be asked");
  }
  if (realm.username !== "" || realm.password !== "") {
    throw new AppError("REGISTRY_FAILED", "the registry's token endpoint has a login in its address");
  }
  const registry = new URL(base);
  if (realm.protocol === "http:" && registry.protocol === "https:") {
    throw new AppError(
      "REGISTRY_FAILED",
      `the token endpoint ${realm.host} is without TLS, though the registry has it`,
      {
        hint: "tell the registry's operator: its own address is set to http://",
      },
    );
  }
  // Nobody said plain-http for a registry on this machine, so a login must not leave the machine without TLS either.
  if (realm.protocol === "http:" && isLoopbackHost(registry.hostname) && !isLoopbackHost(realm.hostname)) {
    throw new AppError("REGISTRY_FAILED", `the token endpoint ${realm.host} is another machine, without TLS`);
  }
  realm.hash = "";
  return realm;
}
