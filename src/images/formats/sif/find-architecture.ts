import { AppError } from "#core";
import type { Platform } from "#oci";
import type { TreeNode } from "../../contract.ts";
import { findNode } from "../tree-editor.ts";
import { elfArchitecture } from "./elf-architecture.ts";
import { architectures, type SifArchitecture } from "./sif-layout.ts";

/**
 * The architecture that an image's programs are for: that of /bin/sh, else of the first program by path, as Apptainer does it; images are known whose
 * config says another. The config counts where there is no program. Throws IMAGE_INVALID where nothing says it, UNSUPPORTED for one that SIF has no number for.
 */
export function findArchitecture(
  root: TreeNode,
  headOf: (file: TreeNode) => Uint8Array | undefined,
  platform: Platform,
): SifArchitecture {
  const ofFile = (file: TreeNode | undefined): SifArchitecture | undefined => {
    const head = file?.type === "file" ? headOf(file) : undefined;
    return head === undefined ? undefined : elfArchitecture(head);
  };
  const ofShell = ofFile(findNode(root, "bin/sh"));
  if (ofShell !== undefined) return ofShell;
  for (const node of walk(root)) {
    const found = ofFile(node);
    if (found !== undefined) return found;
  }
  const { architecture } = platform;
  if (architecture === "")
    throw new AppError(
      "IMAGE_INVALID",
      "neither a program in the image nor its config says its architecture",
    );
  const known = (Object.keys(architectures) as SifArchitecture[]).find((name) => name === architecture);
  if (known === undefined)
    throw new AppError("UNSUPPORTED", `a SIF cannot say that it is for ${architecture}`, {
      hint: "write it as .sqsh, or as an OCI layout",
    });
  return known;
}

/** Every node by path. */
function* walk(root: TreeNode): Generator<TreeNode> {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    const names = [...(node.children ?? [])].sort(([left], [right]) => (left < right ? 1 : -1));
    for (const [, child] of names) open.push(child);
  }
}
