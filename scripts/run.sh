#!/bin/sh
# The npm scripts' one way in: installs what is missing, then runs the named task under our own Bun.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/bin/ensure.sh"
ensure_modules
find_bun
cd "$root"
PATH="$root/node_modules/.bin:$PATH"
task=$1
shift
case "$task" in
  check) exec "$bun" scripts/check.ts "$@" ;;
  test) exec "$bun" scripts/test.ts "$@" ;;
  build) exec "$bun" scripts/build.ts "$@" ;;
  bench) exec "$bun" bench/main.ts "$@" ;;
  docs) exec "$bun" scripts/docs.ts "$@" ;;
  format) exec biome check --write "$@" ;;
  *) echo "run.sh: unknown task $task" >&2; exit 2 ;;
esac
