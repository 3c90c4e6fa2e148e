import { AppError, type Context, Secret } from "#core";
import { type FetchTls, readTextLimited } from "#system";
import type { KubeConnection } from "./connection.ts";
import { type ExecCredential, runExecPlugin } from "./exec-plugin.ts";

/** What goes with a request. */
export interface KubeCredentials {
  readonly authorization: Secret | undefined;
  readonly identity: FetchTls["identity"];
}

/** Tells who asks, anew where that ends. */
export interface CredentialSource {
  /** `refused`: what was given before, and the server did not take. Throws UNAUTHORIZED, CONFIG_INVALID. */
  read(context: Context, refused?: KubeCredentials): Promise<KubeCredentials>;
  /** Could another answer come after a refusal. */
  readonly canRenew: boolean;
}

const FILE_AGE_MS = 60_000;
/** A token that ends while a request is on its way is of no use. */
const EXPIRY_MARGIN_MS = 10_000;

export function createCredentialSource(
  connection: KubeConnection,
  env: Readonly<Record<string, string | undefined>>,
): CredentialSource {
  const { token, identity } = connection.user;
  switch (token.kind) {
    case "none":
      return fixed({ authorization: undefined, identity });
    case "fixed":
      return fixed({ authorization: token.header, identity });
    case "file":
      return remembered(async () => {
        const text = (await readTextLimited(token.path, 1024 * 1024))?.trim();
        if (text === undefined || text === "")
          throw new AppError("CONFIG_INVALID", `the token file ${token.path} is not there, or empty`);
        return {
          credentials: { authorization: new Secret(`Bearer ${text}`), identity },
          until: Date.now() + FILE_AGE_MS,
        };
      });
    case "exec":
      return remembered(async (context) => {
        const { server, tls } = connection;
        const answer = await runExecPlugin(context, token.plugin, { env, server, tls });
        return { credentials: fromPlugin(answer, identity), until: untilOf(answer) };
      });
  }
}

function fixed(credentials: KubeCredentials): CredentialSource {
  return { canRenew: false, read: () => Promise.resolve(credentials) };
}

/** One question for all who ask at once, and until its answer ends. */
function remembered(
  ask: (context: Context) => Promise<{ readonly credentials: KubeCredentials; readonly until: number }>,
): CredentialSource {
  let current: ReturnType<typeof ask> | undefined;
  let isAsking = false;
  return {
    canRenew: true,
    async read(context, refused) {
      const known = await current?.catch(() => undefined);
      // Of many that were refused at once, the first has asked anew.
      const isGood = known !== undefined && known.until > Date.now() && known.credentials !== refused;
      if (isGood) return known.credentials;
      if (!isAsking || current === undefined) {
        isAsking = true;
        current = ask(context).finally(() => {
          isAsking = false;
        });
      }
      return (await current).credentials;
    },
  };
}

function fromPlugin(answer: ExecCredential, identity: FetchTls["identity"]): KubeCredentials {
  return {
    authorization: answer.token === undefined ? undefined : new Secret(`Bearer ${answer.token.reveal()}`),
    identity: answer.identity ?? identity,
  };
}

function untilOf({ expires }: ExecCredential): number {
  return expires === undefined ? Number.POSITIVE_INFINITY : expires.getTime() - EXPIRY_MARGIN_MS;
}
