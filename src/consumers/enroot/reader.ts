import { Secret } from "#core";
import { parseReference } from "#oci";
import type { MatchAnswer, Target } from "../contract.ts";
import { onceForBytes } from "../once-for-bytes.ts";
import { enrootHosts } from "./hosts.ts";
import { findBlock, parseNetrc, readNetrcText } from "./netrc.ts";
import { isOlder, isPlainUser, type NetrcLine, netrcKey, parseNetrcLine } from "./netrc-line.ts";
import { curlVersion, enrootFile } from "./writer.ts";

/**
 * What Enroot would send: it finds the user on the first line for the registry's host, then has curl find the password for the host it
 * asks for a token. Two lookups by two programs with different eyes: where they disagree the answer is `broken`.
 */
export function matchEnroot(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const path = enrootFile(target);
  const bytes = files.get(path);
  const anonymous = (why: string): MatchAnswer => ({ kind: "anonymous", why, searched: [path] });
  const broken = (why: string): MatchAnswer => ({ kind: "broken", file: path, why });
  if (bytes === undefined) return anonymous("there is no file");
  let file: ReturnType<typeof readNetrc>;
  try {
    file = readNetrc(bytes, path);
  } catch (fault) {
    return broken(fault instanceof Error ? fault.message : "it does not parse");
  }
  const reference = parseReference(image);
  const { own, realms } = enrootHosts(reference.registry, target.realmHosts?.[reference.registry]);
  const host = own[0] ?? reference.registry;
  const { text, blocks, lines } = file;
  const first = lines.find((line) => line?.host === host);
  const user = reference.username ?? first?.user;
  if (user === undefined) return anonymous(`no line begins with machine ${host} login`);
  if (!lines.some((line) => line !== undefined && passesGate(line, host, user)))
    return broken(
      `enroot takes ${user} for the user, but no line at the margin has him: it asks for a password, and sends none in a job`,
    );

  for (const asked of realms.length === 0 ? [host] : realms) {
    const block = findBlock(blocks, asked);
    if (block?.password === undefined)
      return broken(
        `there is a line for ${host} and none for ${asked}, which hands out its tokens: no password is sent`,
      );
  }
  const asked = realms[0] ?? host;
  const block = findBlock(blocks, asked);
  if (block === undefined) return anonymous(`no line for ${asked}`);
  // Enroot looks at the sixth word of every line, before curl does.
  if (isShellFood(text.split("\n")[block.line - 1] ?? ""))
    return broken("the password begins with $: enroot gives it to a shell before curl reads it");
  const curl = curlVersion(target);
  if (block.quoted && curl !== undefined && isOlder(curl, "7.84"))
    return broken(`the password stands in quotes, which curl ${curl} would send`);
  const shadows =
    block.login === user
      ? []
      : [`curl finds ${block.login ?? "no user"} on line ${block.line} before ${user}`];
  const key = block.isDefault ? "default" : netrcKey(asked, block.login ?? "");
  return {
    kind: "login",
    match: {
      file: path,
      key,
      username: block.login ?? "",
      secret: new Secret(block.password ?? ""),
      identityToken: false,
      shadows,
    },
  };
}

const readNetrc = onceForBytes((bytes, path) => {
  const text = readNetrcText(bytes, path);
  const lines = text.split("\n").map((line) => parseNetrcLine(line.replace(/\r$/, "")));
  return { text, blocks: parseNetrc(text, path), lines };
});

/** Enroot 4: at the margin, the user as a pattern. */
function passesGate(line: NetrcLine, host: string, user: string): boolean {
  return (
    line.host === host && line.user === user && !line.indented && isPlainUser(user) && line.password !== ""
  );
}

function isShellFood(line: string): boolean {
  const words = line.trim().split(/\s+/);
  return words.length >= 6 && words[5]?.startsWith("$") === true;
}
