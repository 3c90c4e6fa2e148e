#!/bin/sh
# The image's own variables.
export PATH=/usr/local/bin:/usr/bin:/bin
if [ -z "${GREETING:-}" ]; then GREETING='it'"'"'s "fine" & $HOME'; fi
export GREETING
if [ -z "${EMPTY:-}" ]; then EMPTY=''; fi
export EMPTY
