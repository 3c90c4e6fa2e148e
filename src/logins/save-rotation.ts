import { AppError, type Context, type Secret } from "#core";
import { editConfig } from "./config-file.ts";
import type { Login, Surroundings, WharfConfig } from "./contract.ts";
import { writeExpires } from "./edit-config.ts";
import type { Rotation } from "./rotation.ts";
import { renderDate } from "./save-login.ts";
import { changeVault } from "./vault.ts";

/** One step of a rotation, as it is sealed. */
export interface RotationStep {
  readonly login: Pick<Login, "name" | "registry" | "username">;
  /** The secret that stays, and when it ends. */
  readonly secret: Secret;
  readonly expires: Date | undefined;
  /** undefined: the rotation is over. */
  readonly rotation: Rotation | undefined;
  /** It begins: throws CONFLICT where one is under way already. */
  readonly isFirst?: boolean;
}

/**
 * Seals secret and journal in the vault in one write, then puts the end of the secret into wharf.yaml; a kill between the two is mended
 * by the next step, which writes both again. Gives the configuration as it is then. Throws LOGIN_UNKNOWN, CONFLICT, VAULT_*.
 */
export async function saveRotation(
  context: Context,
  surroundings: Surroundings,
  configPath: string,
  step: RotationStep,
): Promise<WharfConfig> {
  const { name, registry, username } = step.login;
  return await editConfig(context, surroundings, configPath, {
    rule: { mayCollide: true },
    change: (text) =>
      writeExpires(text, name, step.expires === undefined ? undefined : renderDate(step.expires)),
    async meanwhile(next) {
      await changeVault(context, surroundings, next.path, (content) => {
        if (step.isFirst === true && content.rotations.has(name)) throw underWay(name);
        const rotations = new Map(content.rotations);
        if (step.rotation === undefined) rotations.delete(name);
        else rotations.set(name, step.rotation);
        const secrets = new Map(content.secrets).set(name, { registry, username, secret: step.secret });
        return { ...content, secrets, rotations };
      });
    },
  });
}

function underWay(name: string): AppError {
  return new AppError("CONFLICT", `a rotation of ${name} is under way`, {
    hint: `go on with \`wharf rotate ${name} --continue\`, or back with --abort`,
  });
}
