const FIELD =
  "(?:auth|password|passwd|identity_?token|registrytoken|secret|token|\\.dockerconfigjson|\\.dockercfg)";
const HIDDEN = "[secret]";

/**
 * A text of a login file as it may be shown: what stands behind a field for secrets, a netrc password, the password in a URL, and long
 * base64 are `[secret]`. Rather too much is hidden than too little.
 */
export function hideSecrets(text: string): string {
  return text.split("\n").map(hideLine).join("\n");
}

function hideLine(line: string): string {
  return (
    line
      .replace(new RegExp(`(["']?${FIELD}["']?\\s*[:=]\\s*)"(?:[^"\\\\]|\\\\.)*"`, "gi"), `$1"${HIDDEN}"`)
      .replace(new RegExp(`(["']?${FIELD}["']?\\s*[:=]\\s*)'[^']*'`, "gi"), `$1'${HIDDEN}'`)
      // A plain YAML value, or a header's, goes to the end of the line; inside braces to the comma.
      .replace(
        new RegExp(`^(\\s*(?:- )?["']?${FIELD}["']?\\s*[:=]\\s*)(?![\\s{["'|>]|!vault).*\\S.*$`, "i"),
        `$1${HIDDEN}`,
      )
      .replace(new RegExp(`([{,]\\s*${FIELD}\\s*:\\s*)(?![\\s{["'])[^,}]+`, "gi"), `$1${HIDDEN}`)
      .replace(/(\bpassword\s+)(?!=|:)\S.*$/i, `$1${HIDDEN}`)
      .replace(/((?:^|\s)-{1,2}[\w-]*(?:p|password|value|creds)[= ])\S+/g, `$1${HIDDEN}`)
      .replace(/\/\/[^/@\s:]+:[^/@\s]+@/g, `//${HIDDEN}@`)
      .replace(/[A-Za-z0-9+/_-]{32,}={0,2}/g, HIDDEN)
      .replace(/^(\s*)[A-Za-z0-9+/]{16,}={0,2}\s*$/, `$1${HIDDEN}`)
  );
}
