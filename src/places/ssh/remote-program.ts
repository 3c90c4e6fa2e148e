/**
 * What runs on the host: POSIX sh with the tools of GNU or BusyBox, read from standard input, so that nothing is installed there and
 * no shell of the user's own has to understand it. Each operation is a subshell with a folder of its own and answers one line, or several
 * where it carries bytes; what it writes comes on standard input too, never on a command line. Each program that it starts costs the host
 * a millisecond or two, more than all the rest: where the shell can do it by itself, it does. Paths are walked folder by folder: after `cd -P` the shell stands in one
 * folder, wherever somebody moves it, and `$PWD` tells whether a link was put in between.
 */
export const REMOTE_PROGRAM = String.raw`
LC_ALL=C; export LC_ALL
umask 077
fail() { printf 'error %s %s\n' "$1" "$(printf %s "$2" | tr '\n' ' ')"; }
answer() { printf '%s\n' "$1"; base64; }
drain() { [ "$1" -eq 0 ] || dd bs="$1" count=1 iflag=fullblock of=/dev/null 2>/dev/null; }
flush() { sync "$1" 2>/dev/null || :; }

# why it did not work: what the folder lets us do is asked again, texts of programs are only shown
broken() {
  case $(stat -f -c %T . 2>/dev/null) in nfs*) kind=nfs ;; *) kind= ;; esac
  block=$(stat -f -c %S . 2>/dev/null) free=$(stat -f -c %a . 2>/dev/null)
  if [ ! -w . ] || [ ! -x . ]; then
    if [ "$kind" = nfs ]; then fail NFS_REFUSED "$(id -u)"; else fail PERMISSION_DENIED "$1: permission denied"; fi
  elif [ -n "$free" ] && [ "$free" -le $(( $2 / \${block:-4096} )) ]; then fail STORAGE_FULL "$1: no room left on the disk"
  else fail STORAGE_FAILED "$1: $3"; fi
}

# a folder that may not be entered
shut() {
  case $(stat -f -c %T -- "$1" 2>/dev/null) in
    nfs*) fail NFS_REFUSED "$(id -u)" ;;
    *) fail PERMISSION_DENIED "the folder $1 may not be entered" ;;
  esac
}

# walk PATH MODE: into the folder that holds the last name ($name). Missing folders are made with MODE; "-" makes none (1).
walk() {
  case $1 in
    "$HOME"/*) root=$HOME rest=\${1#"$HOME"} ;;
    *) root=/ rest=$1 ;;
  esac
  given=$root links=0
  if ! cd -P -- "$root" 2>/dev/null; then
    if [ -d "$root" ]; then shut "$root"
    else fail NOT_FOUND "the home folder $root is not there"; fi
    return 2
  fi
  root=$PWD
  while :; do
    while :; do case $rest in /*) rest=\${rest#/} ;; *) break ;; esac; done
    part=\${rest%%/*} rest=\${rest#"\${rest%%/*}"}
    while :; do case $rest in /*) rest=\${rest#/} ;; *) break ;; esac; done
    case $part in
      '') fail UNSAFE_PATH "it names a folder, not a file"; return 2 ;;
      .) continue ;;
      ..)
        if [ "$PWD" = "$root" ]; then fail UNSAFE_PATH "it leads out of $root"; return 2; fi
        cd -P .. || { fail STORAGE_FAILED "the folder above may not be entered"; return 2; }
        continue ;;
    esac
    if [ -L "./$part" ]; then
      links=$((links + 1))
      if [ "$links" -gt 20 ]; then fail UNSAFE_PATH "it leads through too many links"; return 2; fi
      to=$(readlink -n "./$part"; printf .); to=\${to%.}
      case $to in
        /*)
          if [ "$root" = / ]; then below=$to
          else case $to in
            "$root"/*) below=\${to#"$root"} ;;
            "$given"/*) below=\${to#"$given"} ;;
            *) fail UNSAFE_PATH "it is a link out of $root"; return 2 ;;
          esac; fi
          cd -P -- "$root" || { fail STORAGE_FAILED "$root may not be entered"; return 2; }
          rest=$below/$rest ;;
        *) rest=$to/$rest ;;
      esac
      continue
    fi
    if [ -z "$rest" ]; then name=$part; return 0; fi
    if [ ! -e "./$part" ]; then
      if [ ! -x . ]; then broken "looking into $PWD" 0 ""; return 2; fi
      [ "$2" = - ] && return 1
      why=$(mkdir -m "$2" -- "./$part" 2>&1) || { broken "making the folder $part" 0 "$why"; return 2; }
      flush .
    elif [ ! -d "./$part" ]; then
      fail UNSAFE_PATH "something that is no folder stands in the way"; return 2
    fi
    want=\${PWD%/}/$part
    if ! cd -P -- "./$part" 2>/dev/null; then
      shut "./$part"
      return 2
    fi
    if [ "$PWD" != "$want" ]; then fail UNSAFE_PATH "a folder of it was moved meanwhile"; return 2; fi
  done
}

# who may write to a folder may put a file of their own in the place of ours
closed() {
  at=$PWD; set -- "$at"
  while [ "$at" != "$root" ] && [ "$at" != / ]; do at=\${at%/*}; at=\${at:-/}; set -- "$at" "$@"; done
  set -- $(stat -c '%a %u %g' -- "$@") open=
  while [ $# -gt 2 ]; do
    bits=$(( 0$1 ))
    if [ $(( bits & 512 )) -eq 0 ]; then
      if [ $(( bits & 2 )) -ne 0 ]; then open=everybody; break; fi
      if [ $(( bits & 16 )) -ne 0 ] && [ "$3" != "$2" ] && [ "$3" != 0 ]; then open='its group'; break; fi
    fi
    shift 3
  done
  [ -z "$open" ] && return 0
  fail UNSAFE_PATH "it lies in a folder that $open may write to"
  return 1
}

# temporary files of writers that were killed an hour ago or more
sweep() {
  for left in ".$name."*.tmp; do
    middle=\${left#".$name."}; middle=\${middle%.tmp}
    case $middle in *[!0-9a-f]*) continue ;; esac
    [ "\${#middle}" -eq 12 ] && [ -n "$(find "./$left" -prune -mmin +60 2>/dev/null)" ] && rm -f -- "./$left"
  done
  :
}

op_read() {
  walk "$1" -; case $? in 1) echo none; return ;; 2) return ;; esac
  if [ ! -e "./$name" ]; then
    if [ -x . ]; then echo none; else broken "looking into $PWD" 0 ""; fi
    return
  fi
  [ -f "./$name" ] || { fail INVALID_INPUT "it is not a regular file"; return; }
  [ -r "./$name" ] || { fail PERMISSION_DENIED "it may not be read"; return; }
  set -- $(stat -c '%a %u %g %s' "./$name") "$2"
  [ "$4" -le "$5" ] || { fail TOO_LARGE "it is larger than $5 bytes"; return; }
  answer "file $1 $2 $3" < "./$name" || fail STORAGE_FAILED "it changed while it was read"
}

# op_write PATH MODE FOLDERMODE SIZE RANDOM
op_write() {
  size=$4
  walk "$1" "$3" || { drain "$size"; return; }
  if [ -e "./$name" ] && [ ! -f "./$name" ]; then fail INVALID_INPUT "it is not a regular file"; drain "$size"; return; fi
  if [ $(( 0$2 & 63 )) -eq 0 ]; then closed || { drain "$size"; return; }; fi
  mode=$2 owner=
  if [ -f "./$name" ]; then
    set -- $(stat -c '%a %u %g' "./$name") "$5"
    mode=$(printf '%o' $(( 0$1 & 0$mode & 511 ))) owner=$2:$3 random=$4
  else random=$5; fi
  temporary=./.$name.$random.tmp
  trap 'rm -f -- "$temporary"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  set -C
  put 3> "$temporary" || { broken "making a file" "$size" "the folder takes none"; drain "$size"; return; }
}

# into the temporary file, open as 3 and nobody else's; then in its place
put() {
  this=/proc/self/fd/3
  if [ -n "$owner" ] && [ "$(stat -L -c %u:%g $this)" != "$owner" ]; then
    chown "$owner" $this || { fail PERMISSION_DENIED "its owner $owner could not be kept"; drain "$size"; return 0; }
  fi
  # it was made 0600
  [ "$mode" = 600 ] || chmod "$mode" $this || { fail PERMISSION_DENIED "its mode could not be set"; drain "$size"; return 0; }
  if [ "$size" -gt 0 ]; then
    why=$(dd bs="$size" count=1 iflag=fullblock conv=fsync status=none 2>&1 >&3) || { broken "writing" "$size" "$why"; return 0; }
  fi
  # the connection ended, or the disk is full and nothing said so
  [ "$(stat -L -c %s $this)" = "$size" ] || { broken "writing" "$size" "it was cut off"; return 0; }
  why=$(mv -fT -- "$temporary" "./$name" 2>&1) || { broken "putting it in place" "$size" "$why"; return 0; }
  trap - EXIT
  sweep
  flush .
  echo done
}

# folders that are still missing will be made closed: then we stand in the last one that is there
op_closed() {
  walk "$1" -
  [ $? -eq 2 ] && return
  closed && echo done
}

op_remove() {
  walk "$1" -; case $? in 1) echo done; return ;; 2) return ;; esac
  sweep
  if [ -e "./$name" ]; then
    [ -f "./$name" ] || { fail INVALID_INPUT "it is not a regular file"; return; }
    why=$(rm -f -- "./$name" 2>&1) || { broken "removing" 0 "$why"; return; }
    flush .
  fi
  echo done
}

op_list() {
  walk "$1/.wharf-any-name" -; case $? in 1) echo none; return ;; 2) return ;; esac
  [ -r . ] || { broken "listing" 0 ""; return; }
  ls -A1 | answer names
}

op_facts() {
  me=$(id) uid=\${me#uid=} user=
  uid=\${uid%%[!0-9]*} me=\${me%% gid=*}
  case $me in *'('*) user=\${me#*'('} user=\${user%')'} ;; esac
  printf '%s\n' facts "$user" "$uid" "$HOME"
  env | grep -E "$1"
}

op_version() {
  command -v "$1" >/dev/null 2>&1 || { echo none; return; }
  if command -v timeout >/dev/null 2>&1; then limit='timeout 5'; else limit=; fi
  $limit "$1" --version </dev/null 2>/dev/null | head -c 65536 | answer version
}

# op_run SIZE MAX SECONDS PROGRAM WORD...: what it printed with its exit code behind, then the end of what it said on standard error
op_run() {
  size=$1 max=$2 seconds=$3; shift 3
  command -v "$1" >/dev/null 2>&1 || { drain "$size"; echo none; return; }
  if command -v timeout >/dev/null 2>&1; then set -- timeout -k 5 "$seconds" "$@"; fi
  {
    {
      out=$( {
        if [ "$size" -gt 0 ]; then dd bs="$size" count=1 iflag=fullblock 2>/dev/null; fi |
        { "$@" 2>&3 3>&- 4>&-; printf '\n%s' "$?"; } | head -c "$max" | base64 | tr -d '\n'
      } 4>&- )
      printf 'ran %s ' "$out" >&4
    } 3>&1 | tail -c 2000 | base64 | tr -d '\n'
    printf '\n'
  } 4>&1
}
`.replaceAll("\\${", "${");
