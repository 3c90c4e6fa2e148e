import { join } from "node:path";
import { AppError, type Context, Secret } from "#core";
import { type Surroundings, userConfigFolder } from "#logins";
import { ensurePrivateFolder, readTextLimited, withFileLock, writeFileDurable } from "#system";

const MAX_BYTES = 256 * 1024;

/** A person's account on a registry. Kept apart from logins: never rendered, delivered or answered by a helper. */
export interface SignIn {
  /** `scheme://host[:port]`. */
  readonly url: string;
  readonly username: string;
  readonly tokenId: number;
  readonly secret: Secret;
  /** ISO 8601; null: does not expire. */
  readonly expiresAt: string | null;
  /** Absolute path of a PEM file with the registry's private CA. */
  readonly caFile: string | undefined;
}

/** All sign-ins of a person, the one in use first. */
export type SignIns = readonly SignIn[];

export function signInPath(surroundings: Surroundings): string {
  return join(userConfigFolder(surroundings), "sign-ins.json");
}

/** Empty when there is none. Throws CONFIG_INVALID for a file that is not ours. */
export async function readSignIns(surroundings: Surroundings): Promise<SignIns> {
  const path = signInPath(surroundings);
  const text = await readTextLimited(path, MAX_BYTES);
  return text === undefined ? [] : parseSignIns(text, path);
}

/** Changes the file under its lock; it is private from its first byte on. */
export async function changeSignIns(
  context: Context,
  surroundings: Surroundings,
  change: (signIns: SignIns) => SignIns,
): Promise<void> {
  const path = signInPath(surroundings);
  await ensurePrivateFolder(userConfigFolder(surroundings));
  await withFileLock(context, `${path}.lock`, async () => {
    const next = change(await readSignIns(surroundings));
    await writeFileDurable(path, renderSignIns(next), { mode: 0o600 });
  });
}

function renderSignIns(signIns: SignIns): string {
  const entries = signIns.map(({ url, username, tokenId, secret, expiresAt, caFile }) => ({
    url,
    username,
    tokenId,
    // The one file that it is kept in.
    secret: secret.reveal(),
    expiresAt,
    ...(caFile === undefined ? {} : { caFile }),
  }));
  return `${JSON.stringify({ version: 1, signIns: entries }, undefined, 2)}\n`;
}

function parseSignIns(text: string, path: string): SignIns {
  const document = parseJson(text, path);
  const { version, signIns } = isRecord(document) ? document : {};
  if (version !== 1 || !Array.isArray(signIns)) throw invalid(path);
  return signIns.map((entry: unknown) => {
    const { url, username, tokenId, secret, expiresAt, caFile } = isRecord(entry) ? entry : {};
    if (typeof url !== "string" || typeof username !== "string" || typeof tokenId !== "number")
      throw invalid(path);
    if (typeof secret !== "string") throw invalid(path);
    return {
      url,
      username,
      tokenId,
      secret: new Secret(secret),
      expiresAt: typeof expiresAt === "string" ? expiresAt : null,
      caFile: typeof caFile === "string" ? caFile : undefined,
    };
  });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message repeats the text, which holds secrets.
    throw invalid(path);
  }
}

function invalid(path: string): AppError {
  return new AppError("CONFIG_INVALID", `${path} is not a file of sign-ins`, {
    hint: "move it away, then sign in again",
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
