import type { ApiClient, TokenHolder } from "#api/client";
import { createApiClient } from "#api/client";
import { AppError, isAppError, Secret } from "#core";
import type { TokenIssuer } from "#delivery";
import type { Login } from "#logins";
import type { Invocation } from "../command.ts";
import { createApiFetch, readAll } from "./connect.ts";
import { readSignIns, type SignIn } from "./sign-in-store.ts";

/** What the registry says to a secret that is no good any more. */
const NO_GOOD: ReadonlySet<string> = new Set([
  "UNAUTHORIZED",
  "CREDENTIAL_EXPIRED",
  "CREDENTIAL_REVOKED",
  "ACCOUNT_DISABLED",
]);

/**
 * Makes and revokes tokens of a login's account, where this person is signed in to its registry; undefined where not. `url`: the very
 * registry that a rotation began with.
 */
export async function findTokenIssuer(
  invocation: Pick<Invocation, "env" | "cwd" | "context">,
  login: Pick<Login, "registry" | "username">,
  url?: string,
): Promise<TokenIssuer | undefined> {
  const signIns = await readSignIns(invocation);
  const signIn = signIns.find((one) =>
    url === undefined ? new URL(one.url).host === login.registry : one.url === url,
  );
  return signIn === undefined ? undefined : await createTokenIssuer(invocation, login, signIn);
}

async function createTokenIssuer(
  invocation: Pick<Invocation, "env" | "context">,
  login: Pick<Login, "registry" | "username">,
  signIn: SignIn,
): Promise<TokenIssuer> {
  const { url } = signIn;
  const fetch = await createApiFetch(invocation.context, invocation.env, signIn.caFile);
  const client = createApiClient({ url, credentials: signIn, fetch });
  let found: Promise<TokenHolder> | undefined;
  const holder = (): Promise<TokenHolder> => {
    found ??= findHolder(client, login.username);
    return found;
  };
  return {
    url,
    async readTokenId(secret) {
      const own = createApiClient({ url, credentials: { username: login.username, secret }, fetch });
      try {
        return (await own.whoami()).tokenId ?? undefined;
      } catch (cause) {
        if (isAppError(cause) && NO_GOOD.has(cause.code)) return undefined;
        throw cause;
      }
    },
    async makeToken(name) {
      const { id, secret, expiresAt } = await client.createToken(await holder(), { name });
      return {
        tokenId: id,
        secret: new Secret(secret),
        expires: expiresAt === null ? undefined : new Date(expiresAt),
      };
    },
    async revokeNamed(name) {
      const of = await holder();
      const tokens = await readAll((query) => client.listTokens(of, query));
      for (const { id } of tokens.filter((one) => one.name === name && one.state === "active"))
        await client.revokeToken(of, id);
    },
    async revokeToken(tokenId) {
      try {
        await client.revokeToken(await holder(), tokenId);
      } catch (cause) {
        if (!isAppError(cause, "NOT_FOUND")) throw cause;
      }
    },
  };
}

/** The user or robot that signs in by this name. A robot's name says its project, but not where that ends. */
async function findHolder(client: ApiClient, username: string): Promise<TokenHolder> {
  if (!username.startsWith("robot-")) return { user: username };
  const rest = username.slice("robot-".length);
  const projects = await readAll((query) => client.listProjects(query));
  const candidates: { readonly robot: string; readonly project: string | undefined }[] = projects
    .filter(({ name }) => rest.startsWith(`${name}-`))
    .map(({ name }) => ({ project: name, robot: rest.slice(name.length + 1) }));
  for (const { project, robot } of [...candidates, { project: undefined, robot: rest }]) {
    try {
      if ((await client.readRobot(project, robot)).username === username) return { project, robot };
    } catch (cause) {
      // Another split of the name, or the robots of the site, which only admins see.
      if (!isAppError(cause, "NOT_FOUND") && !isAppError(cause, "DENIED")) throw cause;
    }
  }
  throw new AppError("NOT_FOUND", `the registry has no robot ${username} that you may see`, {
    hint: "sign in as a maintainer of its project, or make the secret there and give it with --password-stdin",
  });
}
