import { AppError, type Context, Secret } from "#core";
import { type FetchTls, runProgram } from "#system";

/** An exec credential plugin of a kubeconfig (client.authentication.k8s.io). */
export interface ExecPlugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  /** It is told which cluster it signs in to. */
  readonly givesCluster: boolean;
  readonly installHint: string | undefined;
}

/** What a plugin answered. */
export interface ExecCredential {
  readonly token: Secret | undefined;
  readonly identity: FetchTls["identity"];
  readonly expires: Date | undefined;
}

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 1024 * 1024;

/**
 * Runs a plugin, as kubectl does: what it is asked is in KUBERNETES_EXEC_INFO, what it answers an ExecCredential on its standard output.
 * Nobody is asked through it. Throws UNAUTHORIZED where it gives nothing, CONFIG_INVALID where it is not there; what it printed is not
 * repeated.
 */
export async function runExecPlugin(
  context: Context,
  plugin: ExecPlugin,
  from: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly server: string;
    readonly tls: FetchTls;
  },
): Promise<ExecCredential> {
  const info = {
    kind: "ExecCredential",
    apiVersion: plugin.apiVersion,
    spec: { interactive: false, ...(plugin.givesCluster ? { cluster: clusterOf(from) } : {}) },
  };
  const result = await runProgram(context, {
    argv: [plugin.command, ...plugin.args],
    env: { ...from.env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  }).catch((cause: unknown) => {
    if (cause instanceof AppError && cause.code === "NOT_FOUND")
      throw new AppError(
        "CONFIG_INVALID",
        `the kubeconfig's credential plugin ${plugin.command} is not there`,
        {
          hint: plugin.installHint ?? "install it, or check its name and PATH",
          cause,
        },
      );
    throw cause;
  });
  if (result.exitCode !== 0)
    throw new AppError(
      "UNAUTHORIZED",
      `the kubeconfig's credential plugin ${plugin.command} ended with exit code ${result.exitCode}`,
      { hint: "see what it says: kubectl get namespaces" },
    );
  return parseExecCredential(plugin, Buffer.from(result.stdout).toString());
}

/** Throws UNAUTHORIZED for an answer that is none; without its text. */
export function parseExecCredential(
  plugin: Pick<ExecPlugin, "command" | "apiVersion">,
  text: string,
): ExecCredential {
  const fail = (why: string): AppError =>
    new AppError("UNAUTHORIZED", `the kubeconfig's credential plugin ${plugin.command} ${why}`, {
      hint: "see what it says: kubectl get namespaces",
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail("printed no JSON");
  }
  const answer = fieldsOf(value);
  if (answer?.["kind"] !== "ExecCredential") throw fail("printed no ExecCredential");
  if (answer["apiVersion"] !== plugin.apiVersion)
    throw fail(`answered in another version than ${plugin.apiVersion}`);
  const status = fieldsOf(answer["status"]);
  const token = textOf(status?.["token"]);
  const certificate = textOf(status?.["clientCertificateData"]);
  const key = textOf(status?.["clientKeyData"]);
  if ((certificate === undefined) !== (key === undefined)) throw fail("gave a certificate without its key");
  if (token === undefined && certificate === undefined) throw fail("gave neither token nor certificate");
  const expiry = textOf(status?.["expirationTimestamp"]);
  const expires = expiry === undefined ? undefined : new Date(expiry);
  if (expires !== undefined && Number.isNaN(expires.getTime())) throw fail("gave an expiry that is no time");
  return {
    token: token === undefined ? undefined : new Secret(token),
    identity:
      certificate === undefined || key === undefined ? undefined : { certificate, key: new Secret(key) },
    expires,
  };
}

function clusterOf({ server, tls }: { readonly server: string; readonly tls: FetchTls }): object {
  return {
    server,
    ...(tls.onlyCa === undefined
      ? {}
      : { "certificate-authority-data": Buffer.from(tls.onlyCa).toString("base64") }),
    ...(tls.serverName === undefined ? {} : { "tls-server-name": tls.serverName }),
    ...(tls.isUnverified === true ? { "insecure-skip-tls-verify": true } : {}),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
