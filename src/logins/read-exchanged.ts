import { createHash } from "node:crypto";
import type { Context } from "#core";
import { realPath } from "#system";
import type { Login, SecretSource, Surroundings, WharfConfig } from "./contract.ts";
import { type ExchangedSecret, parseExchangeAnswer } from "./exchange-answer.ts";
import { createExchangeCache } from "./exchange-cache.ts";
import { runTrusted } from "./run-trusted.ts";

/**
 * The short-lived token of a login: the sealed one of before while more than a quarter of its life is left, else a new one from the
 * provider's program. Throws PERMISSION_DENIED where that was not trusted, SECRET_UNAVAILABLE where it gives none.
 */
export async function readExchanged(
  context: Context,
  login: Login,
  source: Extract<SecretSource, { kind: "exchange" }>,
  from: { readonly surroundings: Surroundings; readonly config: WharfConfig },
): Promise<ExchangedSecret> {
  const { registry, username } = login;
  const cache = createExchangeCache(context, from.surroundings);
  const name = await cacheName(login, source, from.config);
  const now = Date.now();
  const marginMs = (source.livesSeconds ?? 0) * 250;
  const known = await cache.read(name, { registry, username }, new Date(now + marginMs));
  if (known !== undefined) return known;
  const hub = "https://index.docker.io/v1/";
  const stdin = source.answer === "helper" ? `${registry === "docker.io" ? hub : registry}\n` : undefined;
  const text = await runTrusted(context, login, { argv: source.argv, stdin }, from);
  const exchanged = parseExchangeAnswer(login, source, text, now);
  const { expires, secret } = exchanged;
  if (expires !== undefined) await cache.write(name, { registry, username, secret, expires });
  return exchanged;
}

/** Another command, or another wharf.yaml, is another token. */
async function cacheName(
  login: Login,
  source: Extract<SecretSource, { kind: "exchange" }>,
  config: WharfConfig,
): Promise<string> {
  const parts = [await realPath(config.path), login.name, ...source.argv];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
