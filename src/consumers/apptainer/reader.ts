import { Secret } from "#core";
import type { MatchAnswer, Target } from "../contract.ts";
import { dockerKey } from "../docker/docker-config.ts";
import { matchDockerFile } from "../docker/reader.ts";
import { parseImageName } from "../image-name.ts";
import { apptainerFile, environmentPair, fallbackFile, variantOf } from "./paths.ts";

/**
 * What Apptainer or SingularityCE would send: the pair in the environment (to every registry), else from one file, where the
 * whole repository is looked up before the host.
 */
export function matchApptainer(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const own = apptainerFile(target);
  const fallback = fallbackFile(target);
  const pair = environmentPair(target);
  if (pair !== undefined) {
    const shadows = files.has(own) ? [`${own} is not read`] : [];
    const file = `$${pair.prefix}_USERNAME`;
    const secret = new Secret(pair.password);
    return {
      kind: "login",
      match: { file, key: "every registry", username: pair.username, secret, identityToken: false, shadows },
    };
  }
  const path = files.has(own) || fallback === undefined ? own : fallback;
  const bytes = files.get(path);
  const searched = fallback === undefined ? [own] : [own, fallback];
  if (bytes === undefined) return { kind: "anonymous", why: "there is no file", searched };
  const hidden = path === own && fallback !== undefined && files.has(fallback);
  const shadows = hidden ? [`${fallback} is not read while ${own} is there`] : [];
  const { registry, repository } = parseImageName(image);
  const host = registry === "docker.io" ? "index.docker.io" : registry;
  const answer = matchDockerFile({
    path,
    bytes,
    keys: [`${host}/${repository}`, dockerKey(registry)],
    shadows,
  });
  if (answer.kind !== "broken") return answer;
  return { ...answer, why: `${answer.why} (${variantOf(target)} goes on without a login and says nothing)` };
}
