import type { MatchAnswer, Target } from "../contract.ts";
import { parseImageName } from "../image-name.ts";
import { fits } from "../kubernetes/keyring.ts";
import { onceForBytes } from "../once-for-bytes.ts";
import { matchPodman } from "../podman/reader.ts";
import { readYamlText } from "../yaml-edit.ts";
import { LOGINS_FILE, PROVIDER, providerConfigPath } from "./paths.ts";
import { type Provider, parseProviderConfig } from "./provider-config.ts";

/**
 * What the kubelet gets from its plugins for an image, when the pod has no pull secret for it and the node no file. Ours answers for this
 * one image, which is a longer key than anybody's, so it is tried first; what another plugin would say is not known, and it is named.
 */
export function matchKubeletPlugin(
  files: ReadonlyMap<string, Uint8Array>,
  image: string,
  target: Target,
): MatchAnswer {
  const path = providerConfigPath(target);
  const searched = [path, LOGINS_FILE];
  const bytes = files.get(path);
  if (bytes === undefined) return { kind: "anonymous", why: `there is no ${path}`, searched };
  let providers: readonly Provider[];
  try {
    providers = readProviders(bytes, path);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : "it does not parse";
    return { kind: "broken", file: path, why: `${why}: the kubelet does not start with it` };
  }
  const { registry, repository } = parseImageName(image);
  const name = `${registry}/${repository}`;
  const asked = providers.filter(({ matchImages }) => matchImages.some((one) => fits(one, name)));
  const others = asked.filter(({ name }) => name !== PROVIDER).map(({ name }) => name);
  const notes = others.map((name) => `the plugin ${name} is asked too, and its answer tried next`);
  if (others.length === asked.length) {
    const [helper] = others;
    if (helper === undefined)
      return { kind: "anonymous", why: `no matchImages of ${path} fits ${image}`, searched };
    return { kind: "helper", file: path, key: image, helper, shadows: notes.slice(1) };
  }
  const answer = matchPodman(files, image, { ...target, options: { file: LOGINS_FILE } });
  if (answer.kind === "login")
    return { kind: "login", match: { ...answer.match, shadows: [...answer.match.shadows, ...notes] } };
  const [helper] = others;
  if (helper !== undefined)
    return { kind: "helper", file: path, key: image, helper, shadows: notes.slice(1) };
  return answer.kind === "anonymous" ? { ...answer, searched } : answer;
}

const readProviders = onceForBytes(
  (bytes, path): readonly Provider[] => parseProviderConfig(readYamlText(bytes, path), path).providers,
);
