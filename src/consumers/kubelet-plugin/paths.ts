import type { Target } from "../contract.ts";

/** The program that the kubelet starts: a link to wharf in the folder of --image-credential-provider-bin-dir. */
export const PROVIDER = "wharf-kubelet-provider";
/** The logins that it gives out, for root alone. */
export const LOGINS_FILE = "/etc/wharf/kubelet-logins.json";
/** Tells the program of that file. */
export const LOGINS_VARIABLE = "WHARF_KUBELET_LOGINS";

/** The file of --image-credential-provider-config; the kubelet has no default of its own, so this is ours. */
export function providerConfigPath(target: Target): string {
  const file = target.options?.["file"];
  return typeof file === "string" && file.startsWith("/")
    ? file
    : "/etc/kubernetes/image-credential-providers.yaml";
}
