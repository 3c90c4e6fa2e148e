import { posix } from "node:path";
import type { ImageView, TreeNode } from "../../contract.ts";
import { findNode, TreeEditor } from "../tree-editor.ts";
import { renderRc } from "./render-rc.ts";

export interface EnrootEdit {
  readonly view: ImageView;
  readonly mtimeSeconds: number;
}

/** Makes an image's merged tree one that Enroot runs. Gives the volumes that its /etc/fstab cannot name, or that are no folders. */
export function editForEnroot(root: TreeNode, { view, mtimeSeconds }: EnrootEdit): readonly string[] {
  const { config } = view;
  letOwnerRead(root);
  const editor = new TreeEditor(root, mtimeSeconds);
  const folder = posix.join("/", config.workingDirectory).slice(1);
  // One that cannot be made is told by /etc/rc when the container starts.
  if (isFolderPath(root, folder)) editor.ensureFolder(folder);
  const volumes: string[] = [];
  const left: string[] = [];
  for (const volume of config.volumes) {
    const path = posix.join("/", volume).slice(1);
    const line = isFolderPath(root, path) ? renderVolume(`/${editor.ensureFolder(path)}`) : undefined;
    if (line === undefined) left.push(volume);
    else volumes.push(line);
  }
  const pairs = config.env.filter((pair) => pair.includes("=") && !pair.includes("\n"));
  editor.putFile("etc/rc", renderRc(view), 0o644);
  editor.putFile("etc/rc.local", RC_LOCAL, 0o644);
  editor.putFile("etc/environment", pairs.map((pair) => `${pair}\n`).join(""), 0o644);
  editor.putFile("etc/fstab", volumes.join(""), 0o644);
  return left;
}

const RC_LOCAL =
  "# Read by /etc/rc before the image's command starts.\n# Empty but for this: commands may be added.\n";

/**
 * Enroot mounts a volume's folder over itself, by its path on the host: so it must not lead through a symlink of the image's, and comes here resolved
 * within the root. Undefined for what the file cannot say: Enroot puts variables in, and nothing escapes a `$`.
 */
function renderVolume(path: string): string | undefined {
  if (path.includes("$") || path === "/") return undefined;
  const field = path.replaceAll(
    /[\\ \t\n]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `\${ENROOT_ROOTFS}${field} ${field} none x-create=dir,bind,rw,nosuid,nodev\n`;
}

/** Nothing on the way there is anything but a folder, or not there yet. */
function isFolderPath(root: TreeNode, path: string): boolean {
  const parts = path.split("/");
  return parts.every((_, index) => {
    const node = findNode(root, parts.slice(0, index + 1).join("/"));
    return path === "" || node === undefined || node.type === "directory";
  });
}

/** As Enroot's own import: whoever starts the image owns all of it, and must be able to read, enter and remove it. */
function letOwnerRead(root: TreeNode): void {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === "directory") node.mode |= 0o700;
    else if (node.type === "file") node.mode |= (node.mode & 0o111) === 0 ? 0o400 : 0o500;
    // Not spread: a folder may have more names than a call takes arguments.
    for (const child of node.children?.values() ?? []) open.push(child);
  }
}
