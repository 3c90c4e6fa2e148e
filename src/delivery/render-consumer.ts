import type { Refusal, Warning } from "#consumers";
import { AppError, type Context } from "#core";
import { readyLogins } from "./consumer-logins.ts";
import { targetOf } from "./inventory.ts";
import type { PlanInput } from "./planning.ts";
import { consumerNamed, type TargetSpec, targetsOf } from "./targets.ts";
import { withVaultPasswords } from "./vault-passwords.ts";

/** A consumer's file, as it would be where nothing is there yet. Secret. */
export interface RenderedFile {
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
  wish: { readonly at?: string; readonly options: Readonly<Record<string, unknown>> },
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
  const found = await targetOf(context, place, consumer, {
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
  const [document, ...more] = compiled.documents.filter((candidate) => candidate.entries.length > 0);
  if (document === undefined) {
    const [first] = refusals;
    throw new AppError("DELIVERY_REFUSED", first?.reason ?? "there is no login to write", {
      hint: first?.hint ?? "add a login with `wharf login REGISTRY`",
    });
  }
  if (more.length > 0)
    throw new AppError("USAGE", `this delivery writes ${more.length + 1} files, and one can be printed`, {
      hint: "say which with --namespace",
    });
  const merged = consumer.merge(undefined, document, new Set());
  return {
    path: document.path,
    mode: document.mode,
    bytes: merged.content ?? new Uint8Array(),
    refusals,
    warnings: [...compiled.warnings, ...merged.warnings],
  };
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
