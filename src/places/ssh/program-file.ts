import { quoteShell } from "#core";

/**
 * Operations of the remote program for the executable of wharf; a call takes them along as a word for `eval`. It comes in gzip, is checked
 * against its digest and started once under its temporary name, so that what cannot run there never takes the place of what does.
 */
const OPERATIONS = String.raw`
# op_fits MACHINE LOADER
op_fits() {
  machine=$(uname -m)
  if [ "$(uname -s)" != Linux ] || [ "$machine" != "$1" ]; then
    fail UNSUPPORTED "it is $(uname -s) on $machine, and the executable is for Linux on $1"
  elif [ -n "$2" ] && [ ! -e "$2" ]; then
    fail UNSUPPORTED "the executable needs $2 there, which another C library has not"
  elif ! command -v gzip >/dev/null 2>&1 || ! command -v sha256sum >/dev/null 2>&1; then
    fail UNSUPPORTED "gzip or sha256sum is missing there"
  else echo done; fi
}

op_digest() {
  walk "$1" -; case $? in 1) echo none; return ;; 2) return ;; esac
  [ -e "./$name" ] || { echo none; return; }
  [ -f "./$name" ] && [ -r "./$name" ] || { fail PERMISSION_DENIED "it is no file that may be read"; return; }
  printf 'done %s\n' "$(sha256sum < "./$name" | cut -d ' ' -f 1 | base64 | tr -d '\n')"
}

# op_install PATH SIZE SHA256 RANDOM: SIZE bytes of gzip are the rest of what comes in
op_install() {
  size=$2 digest=$3
  walk "$1" 755 || { drain_all; return; }
  if [ -e "./$name" ] && [ ! -f "./$name" ]; then fail INVALID_INPUT "it is not a regular file"; drain_all; return; fi
  closed || { drain_all; return; }
  temporary=./.$name.$4.tmp
  trap 'rm -f -- "$temporary"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  set -C
  why=$( { head -c "$size" | gzip -dc | dd bs=1048576 conv=fsync status=none; } 2>&1 > "$temporary" )
  if [ "$(sha256sum 2>/dev/null < "$temporary" | cut -d ' ' -f 1)" != "$digest" ]; then
    broken "writing" "$size" "$(printf %s "\${why:-it was cut off}" | tail -n 1)"; drain_all; return
  fi
  chmod 755 "$temporary" || { fail PERMISSION_DENIED "its mode could not be set"; return; }
  if command -v timeout >/dev/null 2>&1; then limit='timeout 30'; else limit=; fi
  why=$($limit "$temporary" --version 2>&1 </dev/null) || {
    fail UNSUPPORTED "the executable does not start there: $(printf %s "$why" | head -n 1 | head -c 200)"; return; }
  why=$(mv -fT -- "$temporary" "./$name" 2>&1) || { broken "putting it in place" 0 "$why"; return; }
  sweep
  flush .
  echo done
}
drain_all() { cat > /dev/null; }
`.replaceAll("\\${", "${");

/** The call of one of the operations: `op_fits MACHINE LOADER`, `op_digest PATH`, `op_install PATH SIZE SHA256 RANDOM`. */
export function programFileWords(...words: readonly string[]): readonly string[] {
  // The words come as the text's own arguments: `eval` would read them as a program.
  return [
    "eval",
    `run_program_file() {\n${OPERATIONS}\n"$@"\n}\nrun_program_file ${words.map(quoteShell).join(" ")}`,
  ];
}
