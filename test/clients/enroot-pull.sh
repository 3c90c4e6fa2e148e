#!/bin/sh
# Pulls an image as Enroot does, by the rules that were seen in it (reference "Enroot"): real curl, awk, grep and jq over a netrc
# file. enroot-pull.sh CREDENTIALS REGISTRY REPOSITORY TAG FOLDER; SCHEME=https and CA=FILE for a registry with TLS.
set -eu
credentials=$1 registry=$2 repository=$3 tag=$4 folder=$5
host=${registry%%:*}
base="${SCHEME:-http}://$registry/v2/$repository"
accept='Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
umask 077
mkdir -p "$folder"
request() { curl --silent --show-error ${CA:+--cacert "$CA"} "$@"; }

# The user is field 4 of the first line "machine HOST login USER …"; the gate is that very line, at column 0.
user=$(awk -v host="$host" '$1 == "machine" && $2 == host && $3 == "login" { print $4; exit }' "$credentials" 2>/dev/null || true)
login=
if [ -n "$user" ] && grep -q "^machine $host login $user[[:space:]]" "$credentials"; then login=yes; fi

# The challenge of the manifest, not of /v2/; its third word holds all of it, so a space after a comma would cut it off.
challenge=$(request --head --header "$accept" "$base/manifests/$tag" | tr -d '\r' | grep -i '^www-authenticate:' || true)
if [ -n "$challenge" ]; then
  [ "$(printf '%s\n' "$challenge" | awk '{ print tolower($2) }')" = bearer ] || { echo "not Bearer: $challenge" >&2; exit 1; }
  fields=$(printf '%s\n' "$challenge" | awk '{ print $3 }')
  field() { printf '%s' "$fields" | sed -n "s/.*$1=\"\([^\"]*\)\".*/\1/p"; }
  set -- --get --data-urlencode "service=$(field service)" --data-urlencode "scope=$(field scope)"
  # curl looks the realm's host up in the file, whatever the registry's is.
  [ -z "$login" ] || set -- "$@" --netrc-file "$credentials"
  token=$(request --fail "$@" "$(field realm)" | jq -r '.token // .access_token // empty')
  [ -n "$token" ] || { echo "no token" >&2; exit 1; }
  printf 'Authorization: Bearer %s\n' "$token" > "$folder/header"
else
  : > "$folder/header"
fi

request --fail --header "$accept" --header "@$folder/header" "$base/manifests/$tag" > "$folder/manifest.json"
# Ten at a time, each digest checked.
jq -r '.config.digest, .layers[].digest' "$folder/manifest.json" | sort -u |
  FOLDER=$folder BASE=$base xargs -P 10 -I DIGEST sh -c '
    curl --silent --show-error --fail --location ${CA:+--cacert "$CA"} --header "@$FOLDER/header" \
      --output "$FOLDER/DIGEST" "$BASE/blobs/DIGEST" &&
    echo "$(echo DIGEST | sed s/sha256://)  $FOLDER/DIGEST" | sha256sum --check --quiet'
rm "$folder/header"
sha256sum "$folder/manifest.json" | cut -d " " -f 1
