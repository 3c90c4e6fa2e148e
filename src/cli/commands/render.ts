import { AppError } from "#core";
import type { Command } from "../command.ts";
import { deliveryOf } from "../delivery-surroundings.ts";

export const render: Command = {
  path: ["render"],
  doing: "rendering",
  summary: "print a consumer's file, byte for byte, as it would be where nothing is yet",
  description:
    "With the logins and options of its delivery in wharf.yaml; with no delivery for it, all logins. The bytes hold secrets: they go to a file or a pipe, and to a terminal only with --show.",
  examples: [
    { command: "wharf render docker > config.json", says: "for a machine that wharf cannot reach" },
    {
      command: "wharf render kubernetes --name regcred | kubectl apply -f -",
      says: "an image pull secret",
    },
    {
      command: "wharf render kubernetes --references | kubectl apply --server-side -f -",
      says: "the Secrets of every namespace, and what names them",
    },
    { command: "wharf render gitlab > value.json", says: "GitLab CI's variable DOCKER_AUTH_CONFIG" },
  ],
  args: [
    {
      name: "consumer",
      summary: "whose file",
      choices: [
        "docker",
        "podman",
        "apptainer",
        "enroot",
        "kubernetes",
        "kubelet",
        "kubelet-plugin",
        "k3s",
        "rke2",
        "gitlab",
        "crio",
        "containerd",
        "runai",
        "ansible",
        "opensvc",
      ],
    },
  ],
  options: [
    { flag: "--show", summary: "print it to a terminal too" },
    { flag: "--at <place>", summary: "of its deliveries, the one at this place" },
    { flag: "--name <name>", summary: "name of the Kubernetes Secret" },
    {
      flag: "--namespace <name>",
      summary: "namespace of the Kubernetes Secret, where the delivery has several",
    },
    {
      flag: "--references",
      summary: "the ServiceAccounts of the delivery too, each with its whole list: for server-side apply",
    },
  ],
  async run(invocation) {
    const { args, options, terminal, context } = invocation;
    if (terminal.isOutTerminal && options["show"] !== true)
      throw new AppError("USAGE", "this prints secrets, and standard output is a terminal", {
        hint: "send it to a file (> FILE, with umask 077) or a pipe, or add --show",
      });
    const input = await deliveryOf(invocation);
    const { renderConsumer } = await import("#delivery");
    const rendered = await renderConsumer(context, input, String(args["consumer"]), {
      ...(typeof options["at"] === "string" ? { at: options["at"] } : {}),
      references: options["references"] === true,
      options: {
        ...(typeof options["name"] === "string" ? { name: options["name"] } : {}),
        ...(typeof options["namespace"] === "string" ? { namespace: options["namespace"] } : {}),
      },
    });
    for (const refusal of rendered.refusals)
      terminal.err(
        `refused ${refusal.login}: ${refusal.reason}${refusal.hint === undefined ? "" : ` (${refusal.hint})`}\n`,
      );
    for (const warning of rendered.warnings) terminal.err(`warning: ${warning.message}\n`);
    if (invocation.json) {
      const content = new TextDecoder().decode(rendered.bytes);
      const { path, mode, refusals, warnings } = rendered;
      terminal.out(
        `${JSON.stringify({ path, mode: mode.toString(8).padStart(4, "0"), content, refusals, warnings })}\n`,
      );
    } else terminal.outBytes(rendered.bytes);
    return rendered.refusals.length > 0 ? 3 : 0;
  },
};
