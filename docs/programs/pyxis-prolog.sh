#!/bin/sh
# Prolog= and Epilog= of slurm.conf: a job whose comment names an image (sbatch --comment=image=docker://REGISTRY#IMAGE:TAG)
# has it in the cache before its first step. Each node calls this; one of them makes the image, the others wait for it.

# The file that importer= in plugstack.conf names.
importer=/etc/slurm/wharf-importer
# Longer, and the job starts without: its step brings the image then.
seconds=900
# slurmd gives a prolog none.
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

case "${SLURM_JOB_COMMENT:-}" in
  *image=docker://*) ;;
  *) exit 0 ;;
esac
image="docker://${SLURM_JOB_COMMENT#*image=docker://}"
image="${image%%[ ,;]*}"
home="$(getent passwd "$SLURM_JOB_USER" | cut -d: -f6)"

case "$SLURM_SCRIPT_CONTEXT" in
  prolog_slurmd) set -- get "$image" ;;
  epilog_slurmd) set -- release ;;
  *) exit 0 ;;
esac
# As the job's user, with that user's logins. A prolog that fails would drain the node: what went wrong is in slurmd's log.
timeout "$seconds" runuser -u "$SLURM_JOB_USER" -- env HOME="$home" "$importer" "$@" > /dev/null
exit 0
