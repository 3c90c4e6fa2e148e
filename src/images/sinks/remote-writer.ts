import { quoteShell } from "#core";

export interface RemoteWriter {
  /** Absolute, or `~/…`. */
  readonly path: string;
  /** Hexadecimal: nobody else's temporary file has it in its name, and no other program's words. */
  readonly nonce: string;
  readonly isForced: boolean;
}

/**
 * The POSIX shell program that writes one file on a host, by position, under a temporary name beside it. It reads `write OFFSET SIZE` with SIZE bytes
 * behind it, and `finish SIZE MODE`; says `NONCE ready`, then `NONCE next` or `NONCE done`, or `fail CODE why` and ends. However it ends, what is not finished is removed: also
 * when the connection is cut, for its input ends then. Needs dd of GNU or busybox.
 */
export function renderRemoteWriter({ path, nonce, isForced }: RemoteWriter): string {
  const place = path.startsWith("~/") ? `"$HOME"/${quoteShell(path.slice(2))}` : quoteShell(path);
  return `path=${place} nonce=${nonce} temporary=.wharf-${nonce}.tmp forced=${isForced ? "yes" : "no"}\n${PROGRAM}`;
}

const PROGRAM = String.raw`
LC_ALL=C; export LC_ALL
umask 077
fail() { printf 'fail %s %s\n' "$1" "$(printf %s "$2" | tr '\n' ' ')"; exit 1; }
# the room that is left is asked for: texts of programs are only shown
broken() {
  block=$(stat -f -c %S . 2>/dev/null) free=$(stat -f -c %a . 2>/dev/null)
  if [ -n "$free" ] && [ "$free" -le $(( $1 / ${"$"}{block:-4096} )) ]; then fail STORAGE_FULL "no room left on the disk"; fi
  fail STORAGE_FAILED "$2"
}
refuse_there() { if [ -e "./$name" ] || [ -L "./$name" ]; then fail ALREADY_EXISTS "it is there already"; fi; }
put() { dd of="./$temporary" bs=1048576 iflag=fullblock,count_bytes oflag=seek_bytes conv=notrunc status=none "$@" 2>&1; }

name=${"$"}{path##*/} folder=${"$"}{path%/*}
cd -- "${"$"}{folder:-/}" 2>/dev/null || fail NOT_FOUND "the folder ${"$"}{folder:-/} is not there, or may not be entered"
if [ -d "./$name" ]; then fail ALREADY_EXISTS "it is a folder"; fi
if [ "$forced" = no ]; then refuse_there; fi
[ -w . ] || fail PERMISSION_DENIED "permission denied"
trap 'rm -f "./$temporary"' EXIT
trap 'exit 1' HUP INT TERM PIPE
why=$( (set -C; : > "./$temporary") 2>&1 ) || broken 0 "$why"
why=$(put if=/dev/null seek=0 count=1) || fail UNSUPPORTED "its dd cannot write by position: $why"
echo "$nonce ready"

while read -r operation first second; do
  case $operation in
    write)
      why=$(put seek="$first" count="$second") || broken "$second" "$why"
      echo "$nonce next" ;;
    finish)
      why=$(dd if=/dev/null of="./$temporary" bs=1 seek="$first" conv=fsync status=none 2>&1) || broken 0 "$why"
      why=$(chmod "$second" "./$temporary" 2>&1) || fail STORAGE_FAILED "$why"
      if [ -d "./$name" ]; then fail ALREADY_EXISTS "it is a folder"; fi
      # a link is made of nothing that is there; where there are no hard links, it is asked before
      if [ "$forced" = yes ] || ! ln "./$temporary" "./$name" 2>/dev/null; then
        if [ "$forced" = no ]; then refuse_there; fi
        why=$(mv -f "./$temporary" "./$name" 2>&1) || fail STORAGE_FAILED "$why"
      fi
      rm -f "./$temporary"
      sync . 2>/dev/null || :
      echo "$nonce done"
      exit 0 ;;
    *) exit 1 ;;
  esac
done
`;
