import { isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq } from "yaml";
import { AppError } from "#core";
import { parseYaml, yamlValue } from "../yaml-edit.ts";

/** One provider of the file, in its order. */
export interface Provider {
  readonly name: string;
  readonly matchImages: readonly string[];
  readonly node: YAMLMap;
  /** The list of `matchImages`; undefined where there is none. */
  readonly images: YAMLSeq | undefined;
}

export interface ProviderConfig {
  readonly providers: readonly Provider[];
  /** The list of `providers`; undefined where there is none. */
  readonly list: YAMLSeq | undefined;
  /** The whole as plain values. */
  readonly value: unknown;
}

const KIND = "CredentialProviderConfig";
const GROUP = "kubelet.config.k8s.io/";

/** The kubelet's CredentialProviderConfig. Throws FILE_INVALID for what it would not start with. */
export function parseProviderConfig(text: string, file: string): ProviderConfig {
  const document = parseYaml(text, file);
  const root: unknown = document.contents;
  if (!isMap(root)) throw invalid(file, "a mapping was expected");
  const version = scalarOf(root, "apiVersion");
  if (scalarOf(root, "kind") !== KIND || version?.startsWith(GROUP) !== true)
    throw invalid(file, `this is no ${KIND} of ${GROUP}v1`);
  const list: unknown = root.get("providers", true);
  if (list !== undefined && list !== null && !isSeq(list)) throw invalid(file, "providers is no list");
  const providers = isSeq(list) ? list.items.map((item) => readProvider(item, file)) : [];
  const twice = providers.find(({ name }, index) => providers.findIndex((one) => one.name === name) < index);
  if (twice !== undefined) throw invalid(file, `it has the provider ${twice.name} twice`);
  return { providers, list: isSeq(list) ? list : undefined, value: yamlValue(document, file) };
}

function readProvider(item: unknown, file: string): Provider {
  const name = isMap(item) ? scalarOf(item, "name") : undefined;
  if (!isMap(item) || name === undefined) throw invalid(file, "a provider has no name");
  const images: unknown = item.get("matchImages", true);
  if (!isSeq(images)) return { name, matchImages: [], node: item, images: undefined };
  const matchImages = images.items.map((one) => (isScalar(one) ? one.value : undefined));
  if (!matchImages.every((one) => typeof one === "string"))
    throw invalid(file, `matchImages of ${name} is no list of texts`);
  return { name, matchImages, node: item, images };
}

function scalarOf(map: YAMLMap, key: string): string | undefined {
  const value: unknown = map.get(key);
  return typeof value === "string" ? value : undefined;
}

export function invalid(file: string, why: string): AppError {
  return new AppError("FILE_INVALID", `${file}: ${why}`, {
    hint: "mend the file or move it away; wharf left it as it is",
  });
}
