/** Scripts that are the same in every SIF: what Apptainer and SingularityCE find in /.singularity.d besides an image's own variables and command. */

const SOURCE_ENVIRONMENT = [
  "#!/bin/sh",
  "for script in /.singularity.d/env/*.sh; do",
  '  if [ -f "$script" ]; then . "$script"; fi',
  "done",
].join("\n");

/** Today's runtimes have these in themselves; older ones, and somebody in a chroot, run them from the image. */
export const actionScripts = {
  exec: `${SOURCE_ENVIRONMENT}\nexec "$@"\n`,
  run: `${SOURCE_ENVIRONMENT}\nexec /.singularity.d/runscript "$@"\n`,
  shell: `${SOURCE_ENVIRONMENT}\nif [ -x /bin/bash ]; then exec /bin/bash --norc "$@"; fi\nexec /bin/sh "$@"\n`,
  start: `${SOURCE_ENVIRONMENT}\nexec /.singularity.d/startscript "$@"\n`,
  test: `${SOURCE_ENVIRONMENT}\nif [ -x /.singularity.d/test ]; then exec /.singularity.d/test "$@"; fi\necho "the image has no test" >&2\n`,
} as const;

/** Sourced in the order of their names, around the image's own 10-docker2singularity.sh. */
export const environmentScripts = {
  "01-base.sh": "#!/bin/sh\n# Nothing is set before the image's own variables.\n",
  "90-environment.sh": "#!/bin/sh\n# Variables of a definition file; an image from a registry has none.\n",
  // The runtime puts a user's --env behind the script of this name: without it they would be lost.
  "99-base.sh": [
    "#!/bin/sh",
    "# Libraries that the runtime brings from the host, such as --nv's, come last.",
    'LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}${LD_LIBRARY_PATH:+:}/.singularity.d/libs"',
    'PS1="Apptainer> "',
    "export LD_LIBRARY_PATH PS1",
    "",
  ].join("\n"),
} as const;

/** Run by `apptainer instance start`: nothing but the instance itself. */
export const START_SCRIPT = "#!/bin/sh\n# An image from a registry starts nothing by itself.\n";
