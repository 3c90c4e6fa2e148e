import { AppError } from "#core";
import type { Invocation } from "./command.ts";
import { surroundingsOf } from "./delivery-surroundings.ts";

/**
 * Looks round the machine, shows the `deliver:` that fits, asks (unless `isSure`) and writes it to wharf.yaml. False where the answer
 * was no. Throws NOT_FOUND where no program is here, USAGE where nobody can be asked.
 */
export async function proposeAndWrite(
  invocation: Invocation,
  configPath: string,
  isSure: boolean,
): Promise<boolean> {
  const { terminal, context } = invocation;
  const { addDeliveries, editConfig } = await import("#logins");
  const { createInventory, proposeDeliveries } = await import("#delivery");
  const surroundings = surroundingsOf(invocation);
  const proposals = await proposeDeliveries(context, createInventory(surroundings, invocation.cwd));
  if (proposals.length === 0)
    throw new AppError("NOT_FOUND", "no program that pulls images was found on this machine", {
      hint: "install one, or write a delivery yourself: deliver: [{ to: docker, at: local }]",
    });
  terminal.err(
    `wharf.yaml delivers to nobody yet. For this machine:\n\ndeliver:\n${proposals
      .map(
        ({ delivery, because }) => `  - { to: ${delivery.to}, at: ${delivery.at} }  # ${because.join(", ")}`,
      )
      .join("\n")}\n\n`,
  );
  if (!isSure) {
    if (!terminal.isInTerminal)
      throw new AppError("USAGE", "there is no terminal to ask whether to write this proposal", {
        hint: "add --yes, or write your own deliver: into wharf.yaml",
      });
    if (!(await terminal.confirm(`write this to ${configPath}?`, true))) {
      terminal.err("nothing was written\n");
      return false;
    }
  }
  await editConfig(context, surroundings, configPath, {
    change: (text) =>
      addDeliveries(
        text,
        proposals.map(({ delivery }) => delivery),
      ),
  });
  return true;
}
