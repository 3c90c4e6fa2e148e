import { resolve } from "node:path";
import type { Command } from "../command.ts";
import { chosenDeliveryOf, surroundingsOf } from "../delivery-surroundings.ts";

export const vaultSeal: Command = {
  path: ["vault", "seal"],
  doing: "sealing a part of the vault",
  summary: "write a wharf.yaml and vault with one place's logins alone, sealed to another key",
  description:
    "For a machine or a controller that shall see no more than it delivers. Secrets from other sources are read now and go into the new vault. Without --to a new key is made and written beside it as `key`: who has the folder can read these logins, and nothing else of yours. Made anew when a secret changed.",
  examples: [
    {
      command: "wharf vault seal sealed --at k8s://prod --in-cluster",
      says: "for `wharf watch` in that cluster; then: kubectl create secret generic wharf-watch -n wharf --from-file=sealed",
    },
    {
      command: "wharf vault seal sealed --at k8s://prod --to age1KEY",
      says: "for a host that has a key of its own, which `wharf vault recipients` prints there",
    },
  ],
  args: [{ name: "folder", summary: "where to; made with mode 0700" }],
  options: [
    {
      flag: "--at <place>",
      summary: "this place's deliveries and their logins, as in wharf.yaml; not said: all",
    },
    { flag: "--to <recipient>", summary: "who shall open it, a key that begins with age1" },
    { flag: "--in-cluster", summary: "it is used in the cluster itself: at: k8s://" },
  ],
  async run(invocation) {
    const { args, options, terminal, context, typedAs } = invocation;
    const { readVaultKey, sealPart } = await import("#logins");
    const { config, secrets } = await chosenDeliveryOf(invocation);
    const to = options["to"];
    const folder = resolve(invocation.cwd, String(args["folder"]));
    const done = await sealPart(
      context,
      { config, secrets },
      {
        deliveries: config.deliveries,
        at: options["inCluster"] === true ? "k8s://" : undefined,
        recipient: typeof to === "string" ? to : undefined,
        ownKey: await readVaultKey(surroundingsOf(invocation)),
        folder,
      },
    );
    if (invocation.json) {
      const { files, logins, writer = null } = done;
      terminal.out(`${JSON.stringify({ folder, files, logins, writer })}\n`);
      return 0;
    }
    terminal.out(`wrote ${done.files.join(", ")} to ${folder}: ${done.logins.join(", ")}\n`);
    if (done.writer === undefined)
      terminal.err("`key` opens it: bring the folder where it is used, and remove it here\n");
    else terminal.err(`run there once: ${typedAs} trust --writer ${done.writer}\n`);
    return 0;
  },
};
