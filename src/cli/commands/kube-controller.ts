import { AppError } from "#core";
import type { Command } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";

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
    { flag: "--at <place>", summary: "the deliveries at this place, where wharf.yaml has several clusters" },
  ],
  async run(invocation) {
    const { options, terminal, context } = invocation;
    const { readConfig } = await import("#logins");
    const { createInventory, renderController, rightsOf } = await import("#delivery");
    const { image, namespace, at } = options;
    if (typeof image !== "string" || !/^[\x21-\x7e]{1,500}$/.test(image))
      throw new AppError("USAGE", "--image names no image", {
        hint: "put the executable of `npm run build` into an image as `wharf`, push it, and name it",
      });
    if (typeof namespace !== "string" || !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace))
      throw new AppError("USAGE", "--namespace is no name of a namespace");
    const surroundings = surroundingsOf(invocation);
    const config = await readConfig(surroundings, invocation.configFile);
    const all = await rightsOf(context, { config, inventory: createInventory(surroundings, invocation.cwd) });
    const [rights, ...others] = typeof at === "string" ? all.filter(({ place }) => place === at) : all;
    const known = all.map(({ place }) => place).join(", ");
    if (rights === undefined || others.length > 0)
      throw new AppError("USAGE", "it is not clear which cluster is meant", {
        hint: `say which with --at: ${known}`,
      });
    const manifest = renderController(rights, { namespace, image, replicas: 2 });
    terminal.out(
      invocation.json ? `${JSON.stringify({ place: rights.place, namespace, manifest })}\n` : manifest,
    );
    return 0;
  },
};
