import { type Context, isAppError } from "#core";
import type { Connection } from "./connection.ts";
import { askManifest } from "./manifests.ts";
import { type LoginFault, loginFaultOf, readReason } from "./registry-error.ts";

/** Whether a pull would be let in, and what the registry said. */
export interface PullProbe {
  readonly allowed: boolean;
  /** The HTTP status that decided; 0 where the token endpoint gave no answer to go by. */
  readonly status: number;
  /** The registry's OCI code, or ours (`LOGIN_REFUSED`) where the token endpoint refused. */
  readonly reason?: string;
  /** The registry's own words, fit to print. */
  readonly message?: string;
  /** Why the login is no good though its secret is right, where a registry of ours says it. */
  readonly loginFault?: LoginFault;
  /** Of the manifest, where the pull is allowed and the registry says it. */
  readonly digest?: string;
}

/**
 * Asks for the manifest as a pulling program would, with the connection's login or anonymously. A refusal is an answer, not an error;
 * throws only where there is none (UNREACHABLE, TLS_FAILED, INTERRUPTED, …).
 */
export async function probePull(
  context: Context,
  connection: Connection,
  repository: string,
  key: string,
): Promise<PullProbe> {
  try {
    const head = await askManifest(context, connection, { method: "HEAD", repository, key });
    await head.discard();
    if (head.status === 200) {
      const digest = head.headers.get("docker-content-digest");
      return { allowed: true, status: 200, ...(digest === null ? {} : { digest }) };
    }
    // HEAD has no body, so GET is asked for the reason (containerd does the same).
    const answer = await askManifest(context, connection, { method: "GET", repository, key });
    if (answer.status === 200) {
      await answer.discard();
      return { allowed: true, status: 200 };
    }
    const status = answer.status;
    return { allowed: false, status, ...(await readReason(answer, connection.credentials)) };
  } catch (error) {
    if (!isAppError(error, "LOGIN_REFUSED") && !isAppError(error, "UNAUTHORIZED")) throw error;
    const { status, reason, registryMessage } = error.details ?? {};
    const loginFault = loginFaultOf(error.details?.["loginFault"]);
    return {
      allowed: false,
      status: typeof status === "number" ? status : 0,
      reason: typeof reason === "string" ? reason : error.code,
      message: typeof registryMessage === "string" ? registryMessage : error.message,
      ...(loginFault === undefined ? {} : { loginFault }),
    };
  }
}
