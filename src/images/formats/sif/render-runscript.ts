import { quoteShell } from "#core";
import type { ImageConfig } from "#oci";

/**
 * The script behind `apptainer run`: ENTRYPOINT and CMD as Docker has them, arguments in the place of CMD, every word byte for byte.
 * Apptainer and SingularityCE look for the line `eval "set …"` as it stands here: where they find it they read the script themselves, and the image needs no
 * shell. As with Docker nothing is expanded; in a SIF of Apptainer's a user's arguments are, unless it runs with --no-eval.
 */
export function renderRunscript({
  entrypoint,
  command,
}: Pick<ImageConfig, "entrypoint" | "command">): string {
  const first = entrypoint ?? [];
  const rest = command ?? [];
  // With neither there is nothing to run but a shell.
  const whole = first.length + rest.length === 0 ? ["/bin/sh"] : [...first, ...rest];
  return [
    "#!/bin/sh",
    "# Runs the image's ENTRYPOINT and CMD; arguments take the place of CMD.",
    'if [ "$#" -gt 0 ]; then',
    `  SINGULARITY_OCI_RUN=${quoteShell(["--", ...first.map(quoteShell), '"$@"'].join(" "))}`,
    "else",
    `  SINGULARITY_OCI_RUN=${quoteShell(["--", ...whole.map(quoteShell)].join(" "))}`,
    "fi",
    'eval "set ${SINGULARITY_OCI_RUN}"',
    'exec "$@"',
    "",
  ].join("\n");
}
