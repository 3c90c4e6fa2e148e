import { AppError } from "#core";
import type { RbacSubject } from "#delivery";
import { CLUSTER_OPTION, readClusterRights } from "../cluster-rights.ts";
import type { Command } from "../command.ts";

export const kubeRbac: Command = {
  path: ["kube", "rbac"],
  doing: "writing the roles",
  summary: "print the least roles that the deliveries to a Kubernetes API need",
  description:
    "Roles and bindings for `kubectl apply`: held to the names of the Secrets and ServiceAccounts that wharf.yaml delivers to, lists too; where namespaces are found by a selector, in every namespace. No vault is opened and no cluster is asked. What left wharf.yaml can be pruned only while its role is there: apply wharf.yaml first, then the new roles.",
  examples: [
    { command: "wharf kube rbac --service-account ops/wharf | kubectl apply -f -", says: "for a robot" },
    { command: "wharf kube rbac --user ann --at k8s://prod", says: "for a person" },
    {
      command: "wharf kube rbac --service-account ops/wharf --watch ops/wharf-watch",
      says: "for a robot that runs wharf watch",
    },
  ],
  options: [
    { flag: "--service-account <namespace/name>", summary: "whom to bind the roles to: a ServiceAccount" },
    { flag: "--user <name>", summary: "whom to bind the roles to: a user, as the API server knows them" },
    { flag: "--group <name>", summary: "whom to bind the roles to: a group" },
    {
      flag: "--watch <lease>",
      summary: "for `wharf watch` too, with the Lease that it takes: NAMESPACE/NAME",
    },
    CLUSTER_OPTION,
  ],
  async run(invocation) {
    const { options, terminal } = invocation;
    const { parseServiceAccount, renderRbac } = await import("#delivery");
    const subject = subjectOf(options, parseServiceAccount);
    const rights = await readClusterRights(invocation);
    const manifest = renderRbac(rights, subject, leaseOf(options["watch"]));
    terminal.out(
      invocation.json
        ? `${JSON.stringify({ place: rights.place, rights: rights.rights, manifest })}\n`
        : manifest,
    );
    return 0;
  },
};

function subjectOf(
  options: Readonly<Record<string, unknown>>,
  parseServiceAccount: (text: string) => RbacSubject,
): RbacSubject {
  const { serviceAccount, user, group } = options;
  const said = [serviceAccount, user, group].filter((value) => value !== undefined);
  if (said.length > 1)
    throw new AppError("USAGE", "--service-account, --user and --group are for one subject: say one of them");
  if (typeof user === "string") return { kind: "User", name: user };
  if (typeof group === "string") return { kind: "Group", name: group };
  return parseServiceAccount(typeof serviceAccount === "string" ? serviceAccount : "wharf/wharf");
}

function leaseOf(text: unknown): { readonly namespace: string; readonly name: string } | undefined {
  if (typeof text !== "string") return undefined;
  const [namespace = "", name = "", ...more] = text.split("/");
  const label = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
  if (more.length > 0 || !label.test(namespace) || !label.test(name))
    throw new AppError("USAGE", "--watch is not NAMESPACE/NAME of a Lease", {
      hint: "--watch ops/wharf-watch, and `wharf watch --lease ops/wharf-watch`",
    });
  return { namespace, name };
}
