import { AppError, type Context, parseObjectPath, renderObjectPath, Secret } from "#core";
import type { KubernetesSource, Login, Surroundings } from "./contract.ts";
import { secretInDockerConfig } from "./docker-source.ts";
import type { Field, YamlReader } from "./yaml-reader.ts";

const KEYS = ["context", "namespace", "name", "key"] as const;
const CONFIG_KEY = ".dockerconfigjson";

/** `kubernetes:` of a login: `{ context, namespace, name, key }`. Throws CONFIG_INVALID. */
export function parseKubernetesSource(reader: YamlReader, field: Field): KubernetesSource {
  const fields = reader.knownFields(field.value, "kubernetes", KEYS);
  const [context, namespace, name, key] = KEYS.map((one) => {
    const found = fields.get(one);
    return found === undefined ? undefined : reader.text(found, `${one} of kubernetes`);
  });
  if (namespace === undefined || name === undefined)
    throw reader.fault(
      field.keyNode,
      "kubernetes has no namespace and name",
      "write { kubernetes: { context: prod, namespace: ml, name: regcred } }",
    );
  const path = renderObjectPath({ namespace, kind: "secrets", name });
  if (parseObjectPath(path) === undefined)
    throw reader.fault(field.value, "this namespace and name are not those of a Kubernetes Secret");
  return { kind: "kubernetes", context, path, key };
}

/**
 * What a Secret of a cluster holds for a login: the value under `key`, else the password of the login's registry and username in its
 * `.dockerconfigjson`. Throws SECRET_UNAVAILABLE, and what reaching the cluster throws.
 */
export async function readKubernetesSecret(
  context: Context,
  login: Login,
  from: { readonly source: KubernetesSource; readonly surroundings: Surroundings },
): Promise<Secret> {
  const { source, surroundings } = from;
  const where = `k8s://${source.context ?? ""}${source.path}`;
  const unavailable = (why: string, hint?: string): AppError =>
    new AppError("SECRET_UNAVAILABLE", `login ${login.name}: ${why}`, hint === undefined ? {} : { hint });
  if (surroundings.readClusterSecret === undefined)
    throw unavailable("this program cannot ask a cluster", "deliver with wharf itself, or seal the secret");
  const data = await surroundings.readClusterSecret(context, source.context, source.path);
  if (data === undefined) throw unavailable(`there is no ${where}`);
  const key = source.key ?? CONFIG_KEY;
  const value = data[key];
  if (value === undefined) throw unavailable(`${where} has no key ${key}`);
  const text = Buffer.from(value, "base64").toString();
  return source.key === undefined ? secretInDockerConfig(login, where, text) : new Secret(text);
}
