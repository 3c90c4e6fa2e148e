# Sourced by bin/wharf and scripts/run.sh with $root set. Finds the Bun that npm
# installed for this machine, and, in a source checkout, first makes node_modules fit the lockfile.
# Sets $bun. Writes only to standard error.

ensure_modules() {
  lock="$root/package-lock.json"
  [ -f "$lock" ] || return 0
  mark="$root/node_modules/.wharf-lock"
  [ -f "$mark" ] && cmp -s "$lock" "$mark" && return 0
  command -v npm >/dev/null 2>&1 || {
    echo "error: installing npm packages: npm is not on PATH" >&2
    echo "hint: install Node.js 18 or newer with npm, then run this again" >&2
    exit 1
  }
  echo "wharf: installing npm packages (once) ..." >&2
  # One checkout, several terminals: the first installs, the others wait.
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$root/.install-lock"
    flock 9
    [ -f "$mark" ] && cmp -s "$lock" "$mark" && { exec 9>&-; return 0; }
  fi
  # Standard output belongs to the command that was asked for.
  (cd "$root" && npm ci --no-audit --no-fund --loglevel=error >&2) || {
    echo "error: installing npm packages: npm ci failed (see above)" >&2
    echo "hint: check the network or proxy settings of npm, then run this again" >&2
    exit 1
  }
  cp "$lock" "$mark"
  command -v flock >/dev/null 2>&1 && exec 9>&-
  return 0
}

find_bun() {
  case "$(uname -s)" in Darwin) os=darwin ;; *) os=linux ;; esac
  case "$(uname -m)" in x86_64 | amd64) arch=x64 ;; *) arch=aarch64 ;; esac
  suffixes="-$arch"
  if [ "$os" = linux ]; then
    if [ "$arch" = x64 ] && ! grep -q -m1 avx2 /proc/cpuinfo 2>/dev/null; then suffixes="-x64-baseline -x64"; fi
    if ls /lib/ld-musl-* >/dev/null 2>&1; then suffixes="-$arch-musl $suffixes"; fi
  fi
  for modules in "$root/node_modules" "$root/.."; do
    for suffix in $suffixes; do
      if [ -x "$modules/@oven/bun-$os$suffix/bin/bun" ]; then
        bun="$modules/@oven/bun-$os$suffix/bin/bun"
        return 0
      fi
    done
  done
  echo "error: starting wharf: no Bun for this machine ($os, $arch) among the installed packages" >&2
  echo "hint: run 'npm install' where optional dependencies are not left out (no --omit=optional)" >&2
  exit 1
}
