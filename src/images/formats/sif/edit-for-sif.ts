import type { TreeNode } from "../../contract.ts";
import { TreeEditor } from "../tree-editor.ts";
import { actionScripts, environmentScripts, START_SCRIPT } from "./runtime-scripts.ts";
import type { SifFacts } from "./sif-facts.ts";

/** Places that the runtime mounts something at: with a read-only root they must be there. */
const FOLDERS = ["dev", "proc", "root", "var/tmp", "tmp", "etc", "sys", "home"];

/** Makes an image's merged tree one that Apptainer and SingularityCE run: /.singularity.d, the places to mount at, and links of old. */
export function editForSif(root: TreeNode, facts: SifFacts, mtimeSeconds: number): void {
  const editor = new TreeEditor(root, mtimeSeconds);
  for (const name of ["libs", "actions", "env"]) editor.addFolder(`.singularity.d/${name}`);
  for (const folder of FOLDERS) editor.addFolder(folder);
  for (const [name, script] of Object.entries(actionScripts))
    editor.putFile(`.singularity.d/actions/${name}`, script, 0o755);
  for (const [name, script] of Object.entries(environmentScripts))
    editor.putFile(`.singularity.d/env/${name}`, script, 0o755);
  editor.putFile(".singularity.d/env/10-docker2singularity.sh", facts.environment, 0o755);
  editor.putFile(".singularity.d/runscript", facts.runscript, 0o755);
  editor.putFile(".singularity.d/startscript", START_SCRIPT, 0o755);
  editor.putFile(".singularity.d/labels.json", `${JSON.stringify(facts.labels, undefined, "\t")}\n`, 0o644);
  editor.putFile(".singularity.d/Singularity", facts.definition, 0o644);
  // The host's are mounted over them; those of the machine that built the image are nobody's business.
  editor.putFile("etc/hosts", "", 0o644);
  editor.putFile("etc/resolv.conf", "", 0o644);
  editor.addSymlink("singularity", ".singularity.d/runscript");
  editor.addSymlink("environment", ".singularity.d/env/90-environment.sh");
  for (const name of ["run", "exec", "test", "shell"])
    editor.addSymlink(`.${name}`, `.singularity.d/actions/${name}`);
}
