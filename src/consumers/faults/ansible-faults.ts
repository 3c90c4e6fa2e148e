import { isMap, isScalar, isSeq, parseDocument, type YAMLMap } from "yaml";
import type { Fault, Part, RuleFamily } from "./contract.ts";
import { lineAt } from "./line-at.ts";
import { isPlaceholder } from "./placeholder.ts";

const HUB_KEY = "https://index.docker.io/v1/";
const HUB_NAMES =
  /^(?:https?:\/\/)?(?:docker\.io|index\.docker\.io|registry-1\.docker\.io|hub\.docker\.com)(?:\/v[12]?)?\/?$/;

/** Vars files of DeepOps' docker-login role, not (or no longer) in Vault. */
export const ansibleVars: RuleFamily = {
  kinds: ["ansible-vars"],
  find(part) {
    const document = parseDocument(part.text, { logLevel: "silent" });
    const list: unknown = document.get("docker_login_registries");
    if (!isSeq(list)) return [];
    return list.items.flatMap((item) => (isMap(item) ? itemFaults(part, item) : []));
  },
};

function itemFaults(part: Part, item: YAMLMap): readonly Fault[] {
  const registry = scalar(item, "registry");
  const password = scalar(item, "password");
  const faults: Fault[] = [];
  if (registry !== undefined && registry.text !== HUB_KEY && HUB_NAMES.test(registry.text)) {
    const [start, end] = registry.range;
    faults.push({
      code: "WD080",
      line: lineAt(part, start),
      message: `registry: ${registry.text}: the module writes it as the key, and docker never looks there for Docker Hub`,
      right: `registry: ${HUB_KEY}`,
      ...(part.isWhole
        ? {
            mend: {
              says: `registry: ${registry.text} becomes ${HUB_KEY}`,
              apply: () => part.text.slice(0, start) + HUB_KEY + part.text.slice(end),
            },
          }
        : {}),
    });
  }
  if (password === undefined || password.tag === "!vault") return faults;
  if (
    /\{[{%]/.test(password.text) &&
    password.tag !== "!unsafe" &&
    !/^\{\{[^{}]*\}\}$/.test(password.text.trim())
  )
    faults.push({
      code: "WD082",
      line: lineAt(part, password.range[0]),
      message: "the password has {{ or {% in it, which Ansible evaluates",
      right: "password: !unsafe '…'",
    });
  if (!isPlaceholder(password.text))
    faults.push({
      code: "WD081",
      line: lineAt(part, password.range[0]),
      message: `the password of ${registry?.text ?? "a registry"} stands in clear`,
      right: "the file in Ansible Vault, or the login in wharf's vault",
      command: `wharf import ${part.path}`,
    });
  return faults;
}

function scalar(
  map: YAMLMap,
  key: string,
):
  | { readonly text: string; readonly tag: string | undefined; readonly range: readonly [number, number] }
  | undefined {
  const node: unknown = map.get(key, true);
  if (!isScalar(node) || typeof node.value !== "string" || !node.range) return undefined;
  return { text: node.value, tag: node.tag, range: [node.range[0], node.range[1]] };
}
