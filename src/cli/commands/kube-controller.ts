import { AppError } from "#core";
import { CLUSTER_OPTION, readClusterRights } from "../cluster-rights.ts";
import type { Command } from "../command.ts";

export const kubeController: Command = {
  path: ["kube", "controller"],
  doing: "writing the controller's manifest",
  summary: "print a manifest that runs wharf watch in the cluster",
  description:
    "Namespace, ServiceAccount, the least roles and a Deployment, for `kubectl apply`. The logins are not in it: `wharf vault seal FOLDER --at PLACE --in-cluster` writes them, sealed to a key of their own, and `kubectl create secret generic wharf-watch --from-file=FOLDER` brings them. There is no published image: --image names one of yours with the executable of `npm run build` as `wharf` on its PATH.",
  examples: [
    {
      command: "wharf kube controller --image registry.example.org/ops/wharf:1 | kubectl apply -f -",
      says: "one that works, and one that takes over",
    },
  ],
  options: [
    { flag: "--image <reference>", summary: "the image to run" },
    { flag: "--namespace <name>", summary: "where it runs", default: "wharf" },
    CLUSTER_OPTION,
  ],
  async run(invocation) {
    const { options, terminal } = invocation;
    const { renderController } = await import("#delivery");
    const { image, namespace } = options;
    if (typeof image !== "string" || !/^[\x21-\x7e]{1,500}$/.test(image))
      throw new AppError("USAGE", "--image names no image", {
        hint: "put the executable of `npm run build` into an image as `wharf`, push it, and name it",
      });
    if (typeof namespace !== "string" || !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace))
      throw new AppError("USAGE", "--namespace is no name of a namespace");
    const rights = await readClusterRights(invocation);
    const manifest = renderController(rights, { namespace, image, replicas: 2 });
    terminal.out(
      invocation.json ? `${JSON.stringify({ place: rights.place, namespace, manifest })}\n` : manifest,
    );
    return 0;
  },
};
