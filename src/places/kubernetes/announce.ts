import { createHash } from "node:crypto";
import { type Context, isAppError, type ObjectPath } from "#core";
import type { ClusterEvent } from "../contract.ts";
import { FIELD_MANAGER, type KubeClient } from "./kube-client.ts";
import type { ObjectMeta } from "./objects.ts";

/** The longest name is 253 characters, with a dot and the mark behind it. */
const NAME_LENGTH = 230;
const MARK_LENGTH = 16;
const KINDS = { secrets: "Secret", serviceaccounts: "ServiceAccount" } as const;

/**
 * Writes an Event (events.k8s.io/v1) beside its object. Its name is made of what it says, so the same one that is still there is counted on
 * (`series`) and not written a second time: the API server forgets an Event an hour after it was last written.
 */
export async function announceEvent(
  context: Context,
  client: KubeClient,
  about: { readonly at: ObjectPath; readonly uid: ObjectMeta["uid"] },
  event: ClusterEvent,
): Promise<void> {
  const { at, uid } = about;
  const collection = `/apis/events.k8s.io/v1/namespaces/${at.namespace}/events`;
  const mark = createHash("sha256").update(JSON.stringify([uid, event.reason, event.note]));
  const name = `${at.name.slice(0, NAME_LENGTH).replace(/[.-]+$/, "")}.${mark.digest("hex").slice(0, MARK_LENGTH)}`;
  // MicroTime: six digits.
  const time = event.time.toISOString().replace(/Z$/, "000Z");
  try {
    await client.create(context, collection, {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name, namespace: at.namespace },
      eventTime: time,
      type: "Warning",
      reason: event.reason,
      action: event.action,
      note: event.note,
      regarding: { apiVersion: "v1", kind: KINDS[at.kind], namespace: at.namespace, name: at.name, uid },
      reportingController: FIELD_MANAGER,
      reportingInstance: event.reporter,
    });
  } catch (cause) {
    if (!isAppError(cause, "ALREADY_EXISTS")) throw cause;
    // A series begins with its second; another process may have begun it.
    const series = { count: Math.max(2, event.count), lastObservedTime: time };
    await client.mergePatch(context, `${collection}/${name}`, { series });
  }
}
