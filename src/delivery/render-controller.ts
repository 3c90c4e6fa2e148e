import type { KubeRights } from "./kube-rights.ts";
import { renderRbac } from "./render-rbac.ts";

/** What the manifest of `wharf watch` in a cluster is made of. */
export interface ControllerWish {
  readonly namespace: string;
  /** An image that holds the executable as `wharf` on its PATH. */
  readonly image: string;
  readonly replicas: number;
}

const NAME = "wharf-watch";

/**
 * Everything that `wharf watch` needs in a cluster but its logins: those are the Secret `wharf-watch` of the same namespace, with what
 * `wharf vault seal` wrote. Nothing runs as root, nothing can be written but a folder in memory, no right is beyond the deliveries'.
 */
export function renderController(rights: KubeRights, wish: ControllerWish): string {
  const { namespace } = wish;
  const subject = { kind: "ServiceAccount", name: NAME, namespace } as const;
  return [
    `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${namespace}\n`,
    `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${NAME}\n  namespace: ${namespace}\n`,
    renderRbac(rights, subject, { namespace, name: NAME }),
    renderDeployment(wish),
  ].join("---\n");
}

function renderDeployment({ namespace, image, replicas }: ControllerWish): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${NAME}
  namespace: ${namespace}
spec:
  replicas: ${replicas}
  selector:
    matchLabels: { app.kubernetes.io/name: ${NAME} }
  template:
    metadata:
      labels: { app.kubernetes.io/name: ${NAME} }
    spec:
      serviceAccountName: ${NAME}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        fsGroup: 65532
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: watch
          image: ${JSON.stringify(image)}
          command: [wharf, watch, -c, /etc/wharf/wharf.yaml, --work, /var/lib/wharf/work]
          args: [--at, "k8s://", --lease, ${namespace}/${NAME}, --listen, "0.0.0.0:9090"]
          env:
            - { name: HOME, value: /var/lib/wharf }
          ports:
            - { name: metrics, containerPort: 9090 }
          livenessProbe: { httpGet: { path: /healthz, port: metrics } }
          readinessProbe: { httpGet: { path: /readyz, port: metrics } }
          resources:
            requests: { cpu: 10m, memory: 96Mi }
            limits: { memory: 512Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: logins, mountPath: /etc/wharf, readOnly: true }
            - { name: work, mountPath: /var/lib/wharf }
      volumes:
        - name: logins
          secret: { secretName: ${NAME}, defaultMode: 0440 }
        - name: work
          emptyDir: { medium: Memory, sizeLimit: 256Mi }
`;
}
