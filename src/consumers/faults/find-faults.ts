import { ansibleVars } from "./ansible-faults.ts";
import { authFiles } from "./auth-file-faults.ts";
import { commandLines } from "./command-faults.ts";
import { containerdFiles } from "./containerd-faults.ts";
import type { ExaminedFile, Fault, Part, RuleFamily } from "./contract.ts";
import { definitionFiles } from "./definition-faults.ts";
import { netrcLines } from "./netrc-faults.ts";
import { opensvcFiles } from "./opensvc-faults.ts";
import { partsOf } from "./parts-of.ts";
import { pullSecrets } from "./pull-secret-faults.ts";
import { registriesFiles } from "./registries-faults.ts";
import { writtenSecrets } from "./written-secret-faults.ts";

/** Every family of rules, by hand. */
const families: readonly RuleFamily[] = [
  authFiles,
  pullSecrets,
  netrcLines,
  definitionFiles,
  commandLines,
  containerdFiles,
  registriesFiles,
  opensvcFiles,
  ansibleVars,
  writtenSecrets,
];

/** Holds a login where others of the machine must not read it. */
const SECRET_KINDS: readonly string[] = ["auth-json", "bare-auths", "secret", "netrc", "registries"];

/**
 * Every known mistake in a file, in its order of lines. Empty where there is none, and for what is no text of at most 4 MiB. Throws
 * nothing; never holds a secret.
 */
export function findFaults(file: ExaminedFile): readonly Fault[] {
  const parts = partsOf(file) ?? [];
  const found = parts.flatMap((part) =>
    families.filter(({ kinds }) => kinds.includes(part.kind)).flatMap((family) => family.find(part)),
  );
  return [...modeFaults(file, parts), ...found].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Mode bits of group and others on a file that holds logins. The mending is the place's. */
function modeFaults(file: ExaminedFile, parts: readonly Part[]): readonly Fault[] {
  const [part] = parts;
  const isSecret = part !== undefined && part.isWhole && SECRET_KINDS.includes(part.kind);
  if (!isSecret || file.mode === undefined || (file.mode & 0o077) === 0) return [];
  if (!/auth|password|identity|dockerc/i.test(part.text)) return [];
  return [
    {
      code: "WD018",
      line: undefined,
      message: `mode ${file.mode.toString(8).padStart(4, "0")}: others on this machine can read its logins`,
      right: "mode 0600",
    },
  ];
}
