import { isAnsibleVault } from "#ansible";
import type { Part } from "../faults/contract.ts";
import { mendText } from "../faults/mend-text.ts";
import { partsOf } from "../faults/parts-of.ts";
import { ansibleLogins } from "./ansible-logins.ts";
import { authLogins } from "./auth-logins.ts";
import { commandLogins } from "./command-logins.ts";
import { containerdLogins, definitionLogins, registriesLogins } from "./config-logins.ts";
import type { FileOfLogins, FoundLogins } from "./contract.ts";
import { joinFound, NOTHING } from "./gathered.ts";
import { netrcLogins } from "./netrc-logins.ts";
import { secretLogins } from "./secret-logins.ts";

/**
 * The logins of a file, whatever kind it is by its content: every file that wharf writes for a program, scripts, and pages with code
 * blocks. What `wharf doctor --fix` would mend is read as if it were mended. Undefined for what is no text, or larger than 4 MiB.
 * Throws nothing; runs nothing.
 */
export function findLogins(file: FileOfLogins): FoundLogins | undefined {
  const text = new TextDecoder().decode(file.bytes);
  if (isAnsibleVault(text))
    return ansibleLogins(text, { path: file.path, firstLine: 1 }, file.vaultPasswords);
  const parts = partsOf(file);
  return parts === undefined ? undefined : joinFound(parts.map((part) => partLogins(part, file)));
}

function partLogins(part: Part, file: FileOfLogins): FoundLogins {
  const path = part.line === 1 ? part.path : `${part.path}:${part.line}`;
  switch (part.kind) {
    case "auth-json":
    case "bare-auths":
      return authLogins(mended(part), path);
    case "secret":
      return secretLogins(mended(part), path);
    case "netrc":
      return netrcLogins(mended(part), part.path, part.line);
    case "containerd":
      return containerdLogins(part.text, path);
    case "registries":
      return registriesLogins(mended(part), path);
    case "definition":
      return definitionLogins(part.text, path);
    case "ansible-vars":
      return ansibleLogins(part.text, { path: part.path, firstLine: part.line }, file.vaultPasswords);
    case "shell":
    case "opensvc":
      return commandLogins(part.text, part.path, part.line);
    case "broken-json":
      return { ...NOTHING, unusable: [{ where: path, why: "it does not parse; `wharf doctor` says where" }] };
    case "hosts-toml":
    case "containerd-template":
    case "document":
      return NOTHING;
  }
}

/** The text with what is sure mended: unpadded base64, Secrets broken into lines, lines at the wrong depth. */
function mended(part: Part): string {
  const { bytes } = mendText({
    path: part.path,
    bytes: new TextEncoder().encode(part.text),
    reader: part.reader,
  });
  return new TextDecoder().decode(bytes);
}
