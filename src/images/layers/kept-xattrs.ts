/**
 * Which extended attributes an image carries on: those of its programs and people (`user.*`, file capabilities and their kin), not those of the
 * machine that it was made on: SELinux labels, NFS's lists, overlayfs's own marks. The list of those left out is umoci's and containers/storage's.
 */
export function isKeptXattr(name: string): boolean {
  if (name === "security.selinux" || name === "system.nfs4_acl") return false;
  if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) return false;
  return NAMESPACE.test(name);
}

const NAMESPACE = /^(?:user|security|trusted|system)\../s;
