import { AppError, type Context, silentLogger, toAppError } from "#core";
import type { CanaryPull } from "../contract.ts";
import type { KubeClient } from "./kube-client.ts";
import type { KubeObject } from "./objects.ts";

/** States of a container that waits, before and in a pull (pkg/kubelet/images, container/runtime.go). All others come after it. */
const BEFORE: readonly string[] = ["ContainerCreating", "PodInitializing"];
const FAILED: readonly string[] = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "RegistryUnavailable",
  "ImageInspectError",
  "SignatureValidationFailed",
];
const POLL_MS = 1000;
/** Time to take the pod away, after the command was stopped too. */
const REMOVAL_MS = 15_000;

interface CanaryPod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly imageID?: string;
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
        readonly running?: object;
        readonly terminated?: object;
      };
    }[];
  };
}

/** What the API and time are to it; passed in. */
export interface CanaryTools {
  readonly client: KubeClient;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
}

/**
 * Makes a pod that pulls the image and runs nothing of it, reads how that went, and takes the pod away whatever happened. Gives the node
 * that pulled. Throws DENIED where pods may not be made, REGISTRY_FAILED with the kubelet's words where the pull failed, and
 * UNREACHABLE where no answer came in time.
 */
export async function pullByCanary(context: Context, tools: CanaryTools, pull: CanaryPull): Promise<string> {
  const { client } = tools;
  const pods = `/api/v1/namespaces/${pull.namespace}/pods`;
  const made = await client.create<CanaryPod>(context, pods, canaryPod(pull));
  const path = `${pods}/${made.metadata.name}`;
  try {
    return await readOutcome(context, tools, { pull, path });
  } finally {
    await removeCanary(context, client, path);
  }
}

async function readOutcome(
  context: Context,
  { client, wait, now }: CanaryTools,
  about: { readonly pull: CanaryPull; readonly path: string },
): Promise<string> {
  const { pull, path } = about;
  const end = now() + pull.timeoutSeconds * 1000;
  let pod: CanaryPod | undefined;
  while (now() < end) {
    pod = await client.get<CanaryPod>(context, path);
    if (pod === undefined)
      throw new AppError("KUBERNETES_FAILED", `somebody removed the pod that was to pull ${pull.image}`);
    const [container] = pod.status?.containerStatuses ?? [];
    const waiting = container?.state?.waiting;
    if (waiting?.reason !== undefined && FAILED.includes(waiting.reason))
      throw new AppError(
        "REGISTRY_FAILED",
        `the kubelet could not pull ${pull.image}: ${waiting.reason}${shown(waiting.message)}`,
        { hint: "see which login it would send: wharf why IMAGE --at k8s://CONTEXT -n NAMESPACE" },
      );
    const isPast = waiting?.reason !== undefined && !BEFORE.includes(waiting.reason);
    const isRun = container?.state?.running !== undefined || container?.state?.terminated !== undefined;
    if (isPast || isRun || (container?.imageID ?? "") !== "") return pod.spec?.nodeName ?? "a node";
    // Put out, or never let in, by the node itself.
    if (pod.status?.phase === "Failed")
      throw new AppError(
        "KUBERNETES_FAILED",
        `the pod failed before its pull: ${pod.status.reason ?? "no reason"}`,
      );
    await wait(POLL_MS, context.signal);
  }
  const unscheduled = pod?.status?.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  const why =
    pod?.spec?.nodeName !== undefined
      ? `${pod.spec.nodeName} has not pulled it`
      : `no node took the pod${unscheduled?.reason === undefined ? "" : ` (${unscheduled.reason})`}`;
  throw new AppError("UNREACHABLE", `${pull.image}: within ${pull.timeoutSeconds} seconds ${why}`, {
    hint: "a large image takes longer than the check waits: name a small one",
  });
}

/** Also where the command was stopped: the pod would stay otherwise. */
async function removeCanary(context: Context, client: KubeClient, path: string): Promise<void> {
  const own: Context = { signal: AbortSignal.timeout(REMOVAL_MS), log: silentLogger };
  try {
    await client.remove(own, path, {});
  } catch (cause) {
    context.log.warn("a canary pod could not be removed", { pod: path, error: toAppError(cause).code });
  }
}

/**
 * Within Pod Security's `restricted` and without an API token. Its command is no program of any image: the container cannot start, so nothing
 * of the image runs.
 */
function canaryPod({ namespace, image, serviceAccount, pullSecret, timeoutSeconds }: CanaryPull): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: "wharf-canary-",
      namespace,
      labels: { "app.kubernetes.io/name": "wharf-canary", "app.kubernetes.io/managed-by": "wharf" },
    },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: timeoutSeconds,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
      ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
      containers: [
        {
          name: "canary",
          image,
          imagePullPolicy: "Always",
          command: ["/wharf-canary-that-runs-nothing"],
          resources: { requests: { cpu: "1m", memory: "8Mi" }, limits: { cpu: "100m", memory: "32Mi" } },
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65534,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
            seccompProfile: { type: "RuntimeDefault" },
          },
        },
      ],
    },
  };
}

function shown(message: string | undefined): string {
  return message === undefined || message === "" ? "" : `: ${message.slice(0, 300)}`;
}
