import { AppError, Secret } from "#core";
import { readTextLimited } from "#system";
import type { Login } from "./contract.ts";

const HUB_KEYS = ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"];

/**
 * The secret that a docker config.json holds for a login's registry and username. Helpers are not run: a file under examination
 * executes nothing. Throws SECRET_UNAVAILABLE, FILE_INVALID.
 */
export async function readDockerSecret(login: Login, path: string): Promise<Secret> {
  const text = await readTextLimited(path, 4 * 1024 * 1024);
  if (text === undefined)
    throw new AppError("SECRET_UNAVAILABLE", `login ${login.name}: there is no file ${path}`);
  return secretInDockerConfig(login, path, text);
}

/** The same of a config.json's text; `path` is for messages. */
export function secretInDockerConfig(login: Login, path: string, text: string): Secret {
  const auths = authsOf(path, text);
  const keys =
    login.registry === "docker.io"
      ? HUB_KEYS
      : [
          login.registry,
          `https://${login.registry}`,
          `https://${login.registry}/`,
          `https://${login.registry}/v1/`,
        ];
  for (const key of keys) {
    const entry = auths[key];
    if (typeof entry !== "object" || entry === null) continue;
    const found = secretOf(entry as Readonly<Record<string, unknown>>);
    if (found?.username === login.username && found.password !== "") return new Secret(found.password);
  }
  throw new AppError(
    "SECRET_UNAVAILABLE",
    `login ${login.name}: ${path} holds no secret of ${login.username} for ${login.registry}`,
    {
      hint: "secrets behind a credential helper are not read; seal this one with `wharf login`",
    },
  );
}

function authsOf(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "auths" in value) {
      const { auths } = value;
      if (typeof auths === "object" && auths !== null) return auths as Record<string, unknown>;
    }
    return {};
  } catch {
    // The parser's words quote the file, which holds secrets.
    throw new AppError("FILE_INVALID", `${path} is not JSON`);
  }
}

function secretOf(
  entry: Readonly<Record<string, unknown>>,
): { username: string; password: string } | undefined {
  const { auth, username, password } = entry;
  if (typeof auth === "string" && auth !== "") {
    const pair = Buffer.from(auth, "base64").toString("utf8");
    const colon = pair.indexOf(":");
    return colon < 1 ? undefined : { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
  }
  return typeof username === "string" && typeof password === "string" ? { username, password } : undefined;
}
