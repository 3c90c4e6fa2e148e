import type { Refusal, Warning } from "#consumers";
import { AppError, type Context } from "#core";
import { readyLogins } from "./consumer-logins.ts";
import { targetOf } from "./inventory.ts";
import type { PlanInput } from "./planning.ts";
import { consumerNamed, type TargetSpec, targetsOf } from "./targets.ts";
import { withVaultPasswords } from "./vault-passwords.ts";

/** A consumer's file, as it would be where nothing is there yet; manifests of several namespaces in one stream. Secret. */
export interface RenderedFile {
  /** Of the first, where there are several. */
  readonly path: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
}

/**
 * The file of a consumer with its delivery's logins and options (the first delivery to it, or the one `at`); with no delivery for it:
 * all logins, on this machine. `options` win over the delivery's. Throws DELIVERY_REFUSED where nothing can be expressed.
 */
export async function renderConsumer(
  context: Context,
  input: PlanInput,
  name: string,
  wish: {
    readonly at?: string;
    readonly options: Readonly<Record<string, unknown>>;
    /** Manifests of ServiceAccounts that name the Secret too. */
    readonly references?: boolean;
  },
): Promise<RenderedFile> {
  const consumer = consumerNamed(input.inventory.consumers, name);
  const spec = specFor(input, name, wish.at);
  const logins = spec.logins.flatMap((login) => input.config.logins.get(login) ?? []);
  const { ready, failed } = await readyLogins(logins, input.secrets);
  const place = await input.inventory.openPlace(
    context,
    spec.at.kind === "k8s" ? { kind: "local", text: "local" } : spec.at,
    undefined,
  );
  const { namespaces, ...options } = spec.options;
  const isOneNamespace = namespaces === undefined || wish.options["namespace"] !== undefined;
  // What is printed goes where the caller says, and not into the delivery's folder.
  const { inGit: _, ...found } = await targetOf(context, place, consumer, {
    ...options,
    ...(isOneNamespace ? {} : { namespaces }),
    ...wish.options,
  });
  const target = await withVaultPasswords(input.secrets, found);
  const compiled = consumer.compile(ready, target);
  const refusals: Refusal[] = [
    ...compiled.refusals,
    ...failed.map(({ login, error }) => ({ login, reason: error.message })),
  ];
  const isManifest = MANIFESTS.includes(consumer.name);
  const documents = compiled.documents.filter(
    ({ entries, path }) =>
      entries.length > 0 || (isManifest && wish.references === true && !path.endsWith("/kustomization.yaml")),
  );
  const [document] = documents;
  if (document === undefined) {
    const [first] = refusals;
    throw new AppError("DELIVERY_REFUSED", first?.reason ?? "there is no login to write", {
      hint: first?.hint ?? "add a login with `wharf login REGISTRY`",
    });
  }
  if (documents.length > 1 && !isManifest)
    throw new AppError("USAGE", `this delivery writes ${documents.length} files, and one can be printed`, {
      hint: "apply it to a folder: at: folder:DIR",
    });
  const merged = documents.map((one) => consumer.merge(undefined, one, new Set()));
  const texts = merged.map(({ content }) => content ?? new Uint8Array());
  return {
    path: document.path,
    mode: document.mode,
    bytes: texts.length === 1 ? (texts[0] ?? new Uint8Array()) : joined(texts),
    refusals,
    warnings: [...compiled.warnings, ...merged.flatMap(({ warnings }) => warnings)],
  };
}

/** Consumers of whose files several make one stream of YAML. */
const MANIFESTS: readonly string[] = ["kubernetes", "runai"];

function joined(texts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(texts.flatMap((text, index) => (index === 0 ? [text] : [Buffer.from("---\n"), text])));
}

function specFor(input: PlanInput, consumer: string, at: string | undefined): TargetSpec {
  const specs = targetsOf(input.config).filter((spec) => spec.consumer === consumer);
  const found = at === undefined ? specs[0] : specs.find((spec) => spec.at.text === at);
  if (found !== undefined) return found;
  if (at !== undefined && specs.length > 0)
    throw new AppError("USAGE", `no delivery to ${consumer} is at ${JSON.stringify(at.slice(0, 80))}`, {
      hint: `its deliveries are at ${specs.map((spec) => spec.at.text).join(", ")}`,
    });
  return {
    consumer,
    at: { kind: "local", text: "local" },
    user: undefined,
    options: {},
    logins: [...input.config.logins.keys()],
  };
}
