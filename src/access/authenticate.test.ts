import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { SignJWT, UnsecuredJWT } from "jose";
import { AppError, isAppError, Secret } from "#core";
import { type AccountsFixture, basic, createAccountsFixture } from "../../test/support/accounts.ts";
import { parseAuthorization } from "./authorization-header.ts";

let fixture: AccountsFixture;
beforeEach(async () => {
  fixture = await createAccountsFixture();
});
afterEach(() => fixture.close());

const HERE = "192.0.2.1";
const DAY = 86_400_000;
const password = (): Secret => new Secret(`pw-${crypto.randomUUID()}`);

async function codeOf(header: string, address = HERE): Promise<string> {
  try {
    await fixture.access.authenticate(header, address);
    return "ok";
  } catch (error) {
    if (isAppError(error)) return error.code;
    throw error;
  }
}

async function bearer(header: string | undefined, repository = "team-a/app"): Promise<string> {
  const caller = await fixture.access.authenticate(header, HERE);
  const scope = { type: "repository", name: repository, actions: ["pull", "push", "delete"] } as const;
  return `Bearer ${(await fixture.access.mint(caller, [scope])).token}`;
}

test("no header is anonymous; a password and a token prove who it is", async () => {
  const { access, user, token } = fixture;
  const secret = password();
  const alice = await user("alice", { password: secret });
  expect((await access.authenticate(undefined, HERE)).principal.kind).toBe("anonymous");
  expect((await access.authenticate(basic("alice", secret), HERE)).principal).toEqual({
    kind: "user",
    id: alice,
    name: "alice",
    admin: false,
  });
  const made = await token(alice);
  const caller = access.authenticate(basic("alice", made.secret), HERE);
  expect(caller instanceof Promise).toBe(false);
  expect((await caller).tokenId).toBe(made.id);
  expect(await codeOf(`Bearer ${made.secret.reveal()}`)).toBe("ok");
});

test("everything that is not right is one flat answer", async () => {
  const secret = password();
  const alice = await fixture.user("alice", { password: secret });
  await fixture.user("nologin");
  const { secret: token } = await fixture.token(alice);
  const wrong = [
    basic("alice", "not the password"),
    basic("nobody", secret),
    basic("nologin", "anything at all"),
    basic("alice", ""),
    basic("alice", "x".repeat(100_000)),
    basic("bob", token),
    basic("alice", `${token.reveal().slice(0, -1)}${token.reveal().endsWith("A") ? "B" : "A"}`),
  ];
  const texts = new Set<string>();
  for (const header of wrong) {
    const error: unknown = await Promise.resolve()
      .then(() => fixture.access.authenticate(header, HERE))
      .then(
        () => undefined,
        (cause: unknown) => cause,
      );
    if (!(error instanceof AppError)) throw new Error("was let in");
    // A header over its limit is malformed whatever it holds; all others look alike.
    if (header.length < 16_384) texts.add(`${error.code} ${error.message} ${error.hint}`);
  }
  expect([...texts]).toEqual([
    "UNAUTHORIZED the username, password or token is not right check for a typing mistake, or make a new token",
  ]);
});

test("a disabled, revoked or expired proof says why, at the next request, Bearer too", async () => {
  const { catalog, clock, user, token, project } = fixture;
  await project("team-a");
  const alice = await user("alice", { roles: { "team-a": "developer" } });
  const short = await token(alice, clock.now() + 20 * 60_000);
  const long = await token(alice);
  const [shortBasic, longBasic] = [basic("alice", short.secret), basic("alice", long.secret)];
  const longBearer = await bearer(longBasic);
  expect([await codeOf(shortBasic), await codeOf(longBasic), await codeOf(longBearer)]).toEqual([
    "ok",
    "ok",
    "ok",
  ]);

  await catalog.write(["access"], () => catalog.users.update(alice, { disabled: true }));
  expect([await codeOf(longBasic), await codeOf(longBearer)]).toEqual([
    "ACCOUNT_DISABLED",
    "ACCOUNT_DISABLED",
  ]);
  await catalog.write(["access"], () => catalog.users.update(alice, { disabled: false }));
  expect([await codeOf(longBasic), await codeOf(longBearer)]).toEqual(["ok", "ok"]);

  await catalog.write(["access"], () => catalog.tokens.revoke(alice, long.id, clock.now()));
  expect([await codeOf(longBasic), await codeOf(longBearer)]).toEqual([
    "CREDENTIAL_REVOKED",
    "CREDENTIAL_REVOKED",
  ]);

  const shortBearer = await bearer(shortBasic);
  clock.forward(20 * 60_000);
  expect([await codeOf(shortBasic), await codeOf(shortBearer)]).toEqual([
    "CREDENTIAL_EXPIRED",
    "UNAUTHORIZED",
  ]);

  await catalog.write(["access"], () => catalog.users.remove(alice));
  expect([await codeOf(longBasic), await codeOf(longBearer)]).toEqual(["UNAUTHORIZED", "UNAUTHORIZED"]);
});

test("a new password ends the old one and the Bearer tokens made from it, at the next request", async () => {
  const { catalog, user, clock } = fixture;
  const { hashPassword } = await import("#system");
  const [old, fresh] = [password(), password()];
  const alice = await user("alice", { password: old });
  const oldBearer = await bearer(basic("alice", old));
  expect(await codeOf(oldBearer)).toBe("ok");
  const hash = await hashPassword(fresh);
  await catalog.write(["access"], () => catalog.users.setPassword(alice, hash, clock.now()));
  expect(await codeOf(basic("alice", old))).toBe("UNAUTHORIZED");
  expect(await codeOf(oldBearer)).toBe("CREDENTIAL_REVOKED");
  expect(await codeOf(basic("alice", fresh))).toBe("ok");
});

test("a Bearer token grants what was asked and allowed, lives at most ten minutes and never longer than its proof", async () => {
  const { access, clock, user, token, project } = fixture;
  await project("team-a");
  await project("open", "public");
  const alice = await user("alice", { roles: { "team-a": "developer" } });
  const caller = await access.authenticate(basic("alice", (await token(alice)).secret), HERE);
  const minted = await access.mint(caller, [
    { type: "repository", name: "team-a/app", actions: ["pull", "push", "delete"] },
    { type: "repository", name: "team-a/other", actions: ["*"] },
    { type: "repository", name: "open/app", actions: ["pull", "push"] },
    { type: "repository", name: "hidden/app", actions: ["pull"] },
    { type: "registry", name: "catalog", actions: ["*"] },
  ]);
  expect(minted.expiresInSeconds).toBe(600);
  expect(Object.keys(minted).sort()).toEqual(["expiresInSeconds", "issuedAt", "token"]);
  const holder = await access.authenticate(`Bearer ${minted.token}`, HERE);
  const granted = [...(holder.grants ?? [])].map(([name, actions]) => [name, ...actions]);
  expect(granted).toEqual([
    ["team-a/app", "pull", "push"],
    ["team-a/other", "pull", "push"],
    ["open/app", "pull"],
  ]);
  expect(holder.catalog).toBe(true);
  // A Bearer token may not be traded for one that lives longer.
  clock.forward(9 * 60_000);
  const again = await access.mint(await access.authenticate(`Bearer ${minted.token}`, HERE), []);
  expect(again.expiresInSeconds).toBe(60);
  clock.forward(60_000);
  expect(await codeOf(`Bearer ${minted.token}`)).toBe("UNAUTHORIZED");

  const brief = await token(alice, clock.now() + 90_000);
  const briefCaller = await access.authenticate(basic("alice", brief.secret), HERE);
  expect((await access.mint(briefCaller, [])).expiresInSeconds).toBe(90);
});

test("anonymous gets a token for public pulls and nothing else", async () => {
  await fixture.project("team-a");
  await fixture.project("open", "public");
  const caller = await fixture.access.authenticate(undefined, HERE);
  const minted = await fixture.access.mint(caller, [
    { type: "repository", name: "team-a/app", actions: ["pull"] },
    { type: "repository", name: "open/app", actions: ["pull", "push"] },
    { type: "registry", name: "catalog", actions: ["*"] },
  ]);
  const holder = await fixture.access.authenticate(`Bearer ${minted.token}`, HERE);
  expect(holder.principal.kind).toBe("anonymous");
  expect([...(holder.grants ?? [])].map(([name, actions]) => [name, ...actions])).toEqual([
    ["open/app", "pull"],
  ]);
  expect(holder.catalog).toBe(false);
});

test("forged Bearer tokens are refused: none, other key, embedded key, wrong audience, other algorithm, changed", async () => {
  const { catalog, clock, user } = fixture;
  const secret = password();
  const alice = await user("alice", { password: secret, admin: true });
  const good = await bearer(basic("alice", secret));
  expect(await codeOf(good)).toBe("ok");
  const sealed = catalog.sealedSecrets.read("bearer-signing-key")?.reveal() ?? "";
  const key = Buffer.from(sealed, "base64url");
  const claims = { acc: alice, access: [] };
  const seconds = Math.floor(clock.now() / 1000);
  const jwt = (): SignJWT =>
    new SignJWT(claims)
      .setIssuer("wharf")
      .setAudience("wharf")
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60);
  const other = crypto.getRandomValues(new Uint8Array(32));
  const jwk = { kty: "oct", k: Buffer.from(other).toString("base64url") };
  const [head = "", body = "", mac = ""] = good.slice("Bearer ".length).split(".");
  const swapped = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(body, "base64url").toString()), acc: alice + 1 }),
  );
  const forged = [
    new UnsecuredJWT(claims)
      .setIssuer("wharf")
      .setAudience("wharf")
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60)
      .encode(),
    await jwt().setProtectedHeader({ alg: "HS256" }).sign(other),
    await jwt().setProtectedHeader({ alg: "HS256", jwk }).sign(other),
    await jwt()
      .setProtectedHeader({ alg: "HS512" })
      .sign(Buffer.concat([key, key])),
    await jwt().setAudience("another").setProtectedHeader({ alg: "HS256" }).sign(key),
    await jwt().setIssuer("another").setProtectedHeader({ alg: "HS256" }).sign(key),
    await jwt()
      .setExpirationTime(seconds - 1)
      .setProtectedHeader({ alg: "HS256" })
      .sign(key),
    await new SignJWT(claims)
      .setIssuer("wharf")
      .setAudience("wharf")
      .setIssuedAt(seconds)
      .setProtectedHeader({ alg: "HS256" })
      .sign(key),
    await new SignJWT({ acc: "1", access: [] })
      .setIssuer("wharf")
      .setAudience("wharf")
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60)
      .setProtectedHeader({ alg: "HS256" })
      .sign(key),
    `${head}.${swapped.toString("base64url")}.${mac}`,
    `${head}.${body}.`,
    `${head}.${body}`,
    "x",
  ];
  for (const [index, token] of forged.entries())
    expect([index, await codeOf(`Bearer ${token}`)]).toEqual([index, "UNAUTHORIZED"]);
});

test("guessing is slowed for that account and address alone, tokens and remembered sign-ins never", async () => {
  const { user, token, clock } = fixture;
  const secret = password();
  const alice = await user("alice", { password: secret });
  await user("bob", { password: secret });
  const made = await token(alice);
  const there = "198.51.100.7";
  for (let guess = 0; guess < 5; guess++)
    expect(await codeOf(basic("alice", `wrong ${guess}`))).toBe("UNAUTHORIZED");
  expect(await codeOf(basic("alice", "wrong again"))).toBe("TOO_MANY_REQUESTS");
  expect(await codeOf(basic("alice", secret))).toBe("TOO_MANY_REQUESTS");
  expect(await codeOf(basic("alice", secret), there)).toBe("ok");
  // Right from elsewhere, and nothing changed since: it need not be guessed any more.
  expect(await codeOf(basic("alice", secret))).toBe("ok");
  expect(await codeOf(basic("bob", secret))).toBe("ok");
  expect(await codeOf(basic("alice", made.secret))).toBe("ok");
  expect(await codeOf(basic("alice", "wrong still"))).toBe("TOO_MANY_REQUESTS");
  clock.forward(2_000);
  expect(await codeOf(basic("alice", "wrong later"))).toBe("UNAUTHORIZED");
  expect(await codeOf(basic("alice", "wrong at once"))).toBe("TOO_MANY_REQUESTS");
  clock.forward(DAY);
  expect(await codeOf(basic("alice", secret))).toBe("ok");
});

test("the same login sent many times at once is checked once and all are let in", async () => {
  const secret = password();
  await fixture.user("alice", { password: secret });
  const codes = await Promise.all(Array.from({ length: 200 }, () => codeOf(basic("alice", secret))));
  expect(new Set(codes)).toEqual(new Set(["ok"]));
});

test("a burst of different guesses is cut off, and others still sign in", async () => {
  const secret = password();
  await fixture.user("alice", { password: secret });
  const burst = await Promise.all(Array.from({ length: 50 }, (_, n) => codeOf(basic("alice", `guess ${n}`))));
  expect(burst.filter((code) => code === "UNAUTHORIZED").length).toBeLessThanOrEqual(5);
  expect(burst.filter((code) => code === "TOO_MANY_REQUESTS").length).toBeGreaterThanOrEqual(45);
  const many = await Promise.all(Array.from({ length: 60 }, (_, n) => codeOf(basic(`user${n}`, "guess"))));
  expect(many).toContain("BUSY");
  expect(await codeOf(basic("alice", secret), "203.0.113.9")).toBe("ok");
});

test("one IPv6 network cannot fill the queue of passwords being checked: its addresses share one part of it", async () => {
  const secret = password();
  await fixture.user("alice", { password: secret });
  const flood = Array.from({ length: 90 }, (_, n) =>
    codeOf(basic(`user${n}`, "guess"), `2001:db8:1:2::${(n + 1).toString(16)}`),
  );
  // Asked while they wait: two are checked, sixteen may wait, the others are sent away, and there is room.
  expect(await codeOf(basic("alice", secret), "2001:db8:1:3::1")).toBe("ok");
  const refused = (await Promise.all(flood)).filter((code) => code === "BUSY").length;
  expect(refused).toBeGreaterThanOrEqual(90 - 2 - 16 - 2);
});

test("a token's last use is written, at most once a minute", async () => {
  const { access, catalog, user, token, clock } = fixture;
  const alice = await user("alice");
  const made = await token(alice);
  const use = async (): Promise<number | undefined> => {
    await codeOf(basic("alice", made.secret));
    await access.close();
    return catalog.tokens.find(alice, made.id)?.lastUsedAt;
  };
  const first = clock.now();
  expect(await use()).toBe(first);
  clock.forward(30_000);
  expect(await use()).toBe(first);
  clock.forward(30_000);
  expect(await use()).toBe(clock.now());
});

test("any header is either read or refused as UNAUTHORIZED", () => {
  const header = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc
      .tuple(fc.constantFrom("Basic ", "basic ", "Bearer ", "Digest "), fc.string())
      .map((parts) => parts.join("")),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => `Basic ${Buffer.from(bytes).toString("base64")}`),
  );
  fc.assert(
    fc.property(header, (text) => {
      try {
        const parsed = parseAuthorization(text);
        if (parsed.scheme === "basic") expect(parsed.username).not.toBe("");
      } catch (error) {
        expect(isAppError(error, "UNAUTHORIZED")).toBe(true);
      }
    }),
    { seed: 3, numRuns: 500 },
  );
  expect(() => parseAuthorization(`Bearer ${"a".repeat(20_000)}`)).toThrow();
  expect(parseAuthorization(basic("a", "b:c"))).toEqual({ scheme: "basic", username: "a", password: "b:c" });
});
