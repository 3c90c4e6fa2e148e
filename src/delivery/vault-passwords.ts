import type { Target } from "#consumers";
import { isVaultPasswordSource, type SecretReader } from "#logins";

/** A target with the password of Ansible Vault that its options ask for. Throws what `ansiblePassword` throws. */
export async function withVaultPasswords(
  secrets: Pick<SecretReader, "ansiblePassword">,
  target: Target,
): Promise<Target> {
  const source = target.options?.["vault-password"];
  const vault = target.options?.["vault"];
  const label = target.options?.["vault-id"];
  if (source === undefined && vault !== "file" && vault !== "values") return target;
  const password = await secrets.ansiblePassword({
    ...(isVaultPasswordSource(source) ? { source } : {}),
    label: typeof label === "string" ? label : undefined,
  });
  return { ...target, vaultPasswords: [password] };
}
