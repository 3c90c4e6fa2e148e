import { AppError, type Context, toAppError } from "#core";
import { wait } from "#system";
import type { LeaseName } from "../contract.ts";
import type { KubeClient } from "./kube-client.ts";
import type { KubeObject } from "./objects.ts";

interface KubeLease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
    readonly renewTime?: string;
  };
}

/** As client-go's leader election has them: who cannot renew stops before another may begin. */
const DURATION_MS = 15_000;
const RENEW_WITHIN_MS = 10_000;
const RETRY_MS = 2_000;

/**
 * Runs `work` while this process holds the Lease (coordination.k8s.io/v1), again each time that it gets it, until the context ends.
 * `work`'s own signal ends when the Lease could not be renewed in time. Clocks of two machines are never compared: a Lease has run out when
 * nobody changed it for as long as it lasts, by our own clock. Let go at the end, so that another need not wait. Throws what `work` throws.
 */
export async function leadUnderLease(
  context: Context,
  client: KubeClient,
  lease: LeaseName,
  work: (context: Context) => Promise<void>,
): Promise<void> {
  const seen = createObserver();
  while (!context.signal.aborted) {
    const held = await tryTake(context, client, lease, seen);
    if (held) await lead(context, client, lease, { seen, work });
    else await wait(RETRY_MS * (1 + Math.random() * 0.2), context.signal).catch(() => undefined);
  }
}

async function lead(
  context: Context,
  client: KubeClient,
  lease: LeaseName,
  step: { readonly seen: Observer; readonly work: (context: Context) => Promise<void> },
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const own: Context = { ...context, signal };
  context.log.info("this process leads", { lease: `${lease.namespace}/${lease.name}` });
  const renewing = renew(own, client, lease, step.seen).finally(() => stop.abort());
  // Waited for below; the work ends first.
  renewing.catch(() => undefined);
  try {
    await step.work(own);
  } catch (cause) {
    // Work that was stopped since the Lease was lost is no failure: another process does it now.
    if (!stop.signal.aborted || context.signal.aborted) throw cause;
  } finally {
    stop.abort();
    await renewing;
    await release({ ...context, signal: AbortSignal.timeout(RETRY_MS) }, client, lease);
  }
}

/** Returns when the Lease is lost, or the context ends. */
async function renew(context: Context, client: KubeClient, lease: LeaseName, seen: Observer): Promise<void> {
  let renewedAt = performance.now();
  while (!context.signal.aborted) {
    await wait(RETRY_MS, context.signal).catch(() => undefined);
    if (context.signal.aborted) return;
    // A server that hangs must not be waited for beyond the Lease's end.
    const left = RENEW_WITHIN_MS - (performance.now() - renewedAt);
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(Math.max(1, left))]);
    if (await tryTake({ ...context, signal }, client, lease, seen)) renewedAt = performance.now();
    else if (seen.holder() !== lease.holder || performance.now() - renewedAt >= RENEW_WITHIN_MS) {
      context.log.warn("the lease is lost: this process leads no more", {
        lease: `${lease.namespace}/${lease.name}`,
        holder: seen.holder(),
      });
      return;
    }
  }
}

/** Takes or renews the Lease; false where another holds it, or it could not be written now. Throws DENIED and what does not pass. */
async function tryTake(
  context: Context,
  client: KubeClient,
  lease: LeaseName,
  seen: Observer,
): Promise<boolean> {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${lease.namespace}/leases`;
  try {
    const found = await client.get<KubeLease>(context, `${collection}/${lease.name}`);
    if (found === undefined) {
      const metadata = { name: lease.name, namespace: lease.namespace };
      const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec: specOf(lease, 0) };
      seen.look(await client.create<KubeLease>(context, collection, body));
      return true;
    }
    const isFree = seen.look(found);
    const isOurs = found.spec?.holderIdentity === lease.holder;
    if (!isOurs && !isFree) return false;
    const transitions = (found.spec?.leaseTransitions ?? 0) + (isOurs ? 0 : 1);
    const { resourceVersion } = found.metadata;
    const patch = { metadata: { resourceVersion }, spec: specOf(lease, transitions, isOurs) };
    seen.look(await client.mergePatch<KubeLease>(context, `${collection}/${lease.name}`, patch));
    return true;
  } catch (cause) {
    const error = toAppError(cause);
    if (["DENIED", "UNAUTHORIZED", "CONFIG_INVALID", "INVALID_INPUT"].includes(error.code)) throw error;
    if (error.code === "NOT_FOUND")
      throw new AppError("NOT_FOUND", `there is no namespace ${lease.namespace} for the lease`, {
        hint: "make it, or name another one: --lease NAMESPACE/NAME",
        cause: error,
      });
    if (error.code !== "CONFLICT" && !context.signal.aborted)
      context.log.warn("the lease could not be read or written", { error });
    return false;
  }
}

function specOf(lease: LeaseName, transitions: number, isRenewal = false): object {
  // MicroTime: six digits.
  const now = new Date().toISOString().replace(/Z$/, "000Z");
  return {
    holderIdentity: lease.holder,
    leaseDurationSeconds: DURATION_MS / 1000,
    leaseTransitions: transitions,
    renewTime: now,
    ...(isRenewal ? {} : { acquireTime: now }),
  };
}

async function release(context: Context, client: KubeClient, lease: LeaseName): Promise<void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${lease.namespace}/leases/${lease.name}`;
  try {
    const found = await client.get<KubeLease>(context, path);
    if (found?.spec?.holderIdentity !== lease.holder) return;
    const { resourceVersion } = found.metadata;
    await client.mergePatch(context, path, {
      metadata: { resourceVersion },
      spec: { holderIdentity: "", leaseDurationSeconds: 1 },
    });
  } catch (cause) {
    // The next one waits until it has run out.
    context.log.info("the lease was not let go", { error: toAppError(cause) });
  }
}

interface Observer {
  /** Notes a Lease as it is; true where nobody holds it, or its holder has let it run out. */
  look(lease: KubeLease): boolean;
  holder(): string | undefined;
}

function createObserver(): Observer {
  let version: string | undefined;
  let since = 0;
  let holder: string | undefined;
  return {
    look({ metadata, spec }) {
      if (metadata.resourceVersion !== version) {
        version = metadata.resourceVersion;
        since = performance.now();
      }
      holder = spec?.holderIdentity;
      const lasts = (spec?.leaseDurationSeconds ?? 0) * 1000;
      return holder === undefined || holder === "" || performance.now() - since > lasts;
    },
    holder: () => holder,
  };
}
