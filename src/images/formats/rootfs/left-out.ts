/** What a folder does not have that the image has, because whoever unpacks is not root or the file system has no room for it: how many of each. */
export interface LeftOut {
  /** Files and folders that belong to who unpacked them. */
  owners: number;
  devices: number;
  /** Files with extended attributes that could not be set. */
  xattrs: number;
  /** Files and folders whose setuid or setgid bit would have made them run as who unpacked them. */
  setIds: number;
}

/** In words, for people; "" when nothing was left out. */
export function renderLeftOut(left: Readonly<LeftOut>): string {
  const parts = [
    left.owners > 0 ? `owners are not set (${left.owners})` : "",
    left.setIds > 0 ? `setuid and setgid bits are not set (${left.setIds})` : "",
    left.devices > 0 ? `device nodes are left out (${left.devices})` : "",
    left.xattrs > 0 ? `extended attributes are left out (${left.xattrs})` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
