import { type Context, toAppError } from "#core";
import type { Login } from "#logins";
import { readyLogins } from "./consumer-logins.ts";
import { helperWarnings } from "./helper-warnings.ts";
import { targetOf } from "./inventory.ts";
import type { PlanInput, Prepared } from "./planning.ts";
import { readAhead } from "./read-ahead.ts";
import { consumerNamed, type TargetSpec } from "./targets.ts";
import { withVaultPasswords } from "./vault-passwords.ts";
import { withExecutable } from "./with-executable.ts";

/** Opens a target's place and compiles its logins. A failure is the target's own (`error`); a vault that does not open throws. */
export async function prepareTarget(context: Context, input: PlanInput, spec: TargetSpec): Promise<Prepared> {
  const logins = spec.logins
    .map((name) => input.config.logins.get(name))
    .filter((login): login is Login => login !== undefined);
  const { ready, failed } = await readyLogins(logins, input.secrets);
  const untouched = new Set(failed.map(({ login }) => login));
  try {
    const consumer = consumerNamed(input.inventory.consumers, spec.consumer);
    const opened = await input.inventory.openPlace(context, spec.at, spec.user);
    const found = await targetOf(context, opened, consumer, spec.options);
    const target = await withExecutable(
      context,
      { inventory: input.inventory, place: opened },
      await withVaultPasswords(input.secrets, found),
    );
    const compiled = consumer.compile(ready, target);
    const place = await readAhead(context, opened, [
      ...compiled.documents.map(({ path }) => path),
      ...consumer.files(target),
    ]);
    const refusals = failed.map(({ login, error }) => ({
      login,
      reason: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    }));
    const sent = new Map(
      compiled.documents.flatMap(({ entries }) => entries.map(({ login, sends }) => [login, sends] as const)),
    );
    return {
      spec,
      opened: { consumer, place, target },
      documents: compiled.documents,
      refusals: [...compiled.refusals, ...refusals],
      warnings: [
        ...compiled.warnings,
        ...(await helperWarnings(context, input.config.path, { spec, place, target })),
      ],
      logins: new Map(
        ready.map(({ name, username, secret, registry, path, expires }) => [
          name,
          {
            username,
            secret: sent.get(name) ?? secret,
            images: path === undefined ? registry : `${registry}/${path}`,
            expires,
          },
        ]),
      ),
      untouched: new Set([...untouched, ...compiled.refusals.map(({ login }) => login)]),
      error: undefined,
    };
  } catch (cause) {
    return {
      spec,
      opened: undefined,
      documents: [],
      refusals: [],
      warnings: [],
      logins: new Map(),
      untouched,
      error: toAppError(cause),
    };
  }
}
