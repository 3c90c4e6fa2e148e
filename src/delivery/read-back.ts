import type { MatchAnswer, Warning } from "#consumers";
import type { Context } from "#core";
import type { Opened, Overlay, PlanInput, Prepared } from "./planning.ts";
import { expiryOf } from "./prove-logins.ts";
import { answerFrom, readSearchPath, type SearchPath } from "./search-path.ts";

/** A repository that no file names: an entry for the whole of a login's images is what answers for it. */
export const SAMPLE = "wharf-sample/image";

/**
 * Reads the merged files back by the program's own rules: a warning for each login that the program would not use for its images,
 * with what is in its way. Refused logins are not asked for.
 */
export async function shadowedLogins(
  context: Context,
  opened: Opened,
  one: Prepared,
  about: { readonly overlay: Overlay; readonly refused: ReadonlySet<string> },
): Promise<readonly Warning[]> {
  // Where all are refused there is nothing to ask, and what was wrong has been said.
  if ([...one.logins.keys()].every((name) => about.refused.has(name))) return [];
  const all = await readSearchPath(opened, (path) => about.overlay.read(context, opened.place, path));
  const searches = opened.consumer.abilities.readsApart === true ? apart(all) : [all];
  return searches.flatMap((search) => shadowedIn(opened, one, { search, refused: about.refused }));
}

/** Each file alone; those that are to the letter the same are asked once. */
function apart({ files }: SearchPath): readonly SearchPath[] {
  const distinct = new Map(
    [...files].map(([path, bytes]) => [Buffer.from(bytes).toString(), { path, bytes }]),
  );
  return [...distinct.values()].map(({ path, bytes }) => ({
    files: new Map([[path, bytes]]),
    failure: undefined,
  }));
}

function shadowedIn(
  opened: Opened,
  one: Prepared,
  about: { readonly search: SearchPath; readonly refused: ReadonlySet<string> },
): readonly Warning[] {
  const { search } = about;
  const warnings: Warning[] = [];
  for (const [name, login] of one.logins) {
    if (about.refused.has(name)) continue;
    const answer = answerFrom(opened, search, `${login.images}/${SAMPLE}`);
    const isUsed =
      answer.kind === "login"
        ? answer.match.username === login.username && answer.match.secret.equals(login.secret)
        : answer.kind === "helper" && answer.helper === one.spec.options["helper"];
    if (isUsed) continue;
    warnings.push({
      kind: "shadowed",
      login: name,
      message: `${one.spec.consumer} would not use this login for ${login.images}: ${insteadOf(answer)}`,
      hint: `see what is in its way: wharf why ${login.images}/IMAGE`,
    });
  }
  return warnings;
}

/** Logins of a target whose secret has ended, or will soon; exchanged tokens always do, where they are written into a file. */
export function expiryWarnings(input: PlanInput, one: Prepared): readonly Warning[] {
  return [...one.logins].flatMap(([name, { expires }]): readonly Warning[] => {
    if (expires === undefined) return [];
    const about = { kind: "danger", login: name } as const;
    if (input.config.logins.get(name)?.source.kind === "exchange") {
      // A helper asks for it when it is needed.
      if (one.spec.options["helper"] !== undefined) return [];
      const at = `${expires.toISOString().slice(0, 16).replace("T", " ")} UTC`;
      return [
        {
          ...about,
          message: `its token ends at ${at}, and what is delivered is of no use after that`,
          hint: "run `wharf apply --yes` from cron more often than that, or let docker ask when it pulls: helper: wharf",
        },
      ];
    }
    const expiry = expiryOf({ expires }, input.now);
    const day = expires.toISOString().slice(0, 10);
    if (expiry === "expired") return [{ ...about, message: `it expired on ${day}` }];
    if (expiry === "expires soon") return [{ ...about, message: `it expires on ${day}` }];
    return [];
  });
}

function insteadOf(answer: MatchAnswer): string {
  switch (answer.kind) {
    case "login":
      return `it sends ${answer.match.username} from ${answer.match.key} in ${answer.match.file}`;
    case "helper":
      return `it asks docker-credential-${answer.helper} (${answer.key} in ${answer.file})`;
    case "broken":
      return `${answer.file}: ${answer.why}`;
    case "anonymous":
      return `it sends none (${answer.why})`;
  }
}
