import type { LoginStatus } from "#delivery";
import type { Command } from "../command.ts";
import { fetchOf, surroundingsOf } from "../delivery-surroundings.ts";
import { errorDocument } from "../render-plan.ts";
import { renderTable } from "../table.ts";

export const logins: Command = {
  path: ["logins"],
  doing: "listing logins",
  summary: "list the logins of wharf.yaml, when they expire, and what their registries say now",
  examples: [
    { command: "wharf logins", says: "asks each registry whether its login is good" },
    { command: "wharf logins --offline", says: "asks nobody, opens no vault" },
  ],
  options: [{ flag: "--offline", summary: "do not ask the registries" }],
  async run(invocation) {
    const { terminal, context, options } = invocation;
    const { createSecretReader, readConfig } = await import("#logins");
    const { expiryOf, isLoginOff, proveLogins } = await import("#delivery");
    const surroundings = surroundingsOf(invocation);
    const config = await readConfig(surroundings, invocation.configFile);
    const all = [...config.logins.values()];
    const now = new Date();
    const isOffline = options["offline"] === true;
    const secrets = createSecretReader(context, surroundings, config);
    const statuses: readonly LoginStatus[] = isOffline
      ? all.map((login) => ({
          login,
          expires: login.expires,
          expiry: expiryOf(login, now),
          proof: undefined,
          rateLimit: undefined,
          error: undefined,
        }))
      : await proveLogins(context, all, {
          fetch: await fetchOf(invocation),
          now,
          secrets,
        });
    if (invocation.json)
      terminal.out(`${JSON.stringify({ config: config.path, items: statuses.map(document) })}\n`);
    else if (all.length === 0) terminal.err(`no logins yet; add one: ${invocation.typedAs} login REGISTRY\n`);
    else terminal.out(table(statuses, isOffline, terminal.color));
    return statuses.some(isLoginOff) ? 3 : 0;
  },
};

function document(status: LoginStatus): unknown {
  const { login, expires } = status;
  return {
    name: login.name,
    registry: login.registry,
    path: login.path ?? null,
    username: login.username,
    source: login.source.kind,
    expires: expires?.toISOString() ?? null,
    expiry: status.expiry,
    proof: status.proof === undefined ? null : { outcome: status.proof.outcome, detail: status.proof.detail },
    error: errorDocument(status.error),
  };
}

function table(statuses: readonly LoginStatus[], isOffline: boolean, color: boolean): string {
  return renderTable<LoginStatus>(
    [
      { head: "LOGIN", cell: ({ login }) => login.name },
      {
        head: "REGISTRY",
        cell: ({ login }) => (login.path === undefined ? login.registry : `${login.registry}/${login.path}`),
      },
      { head: "USERNAME", cell: ({ login }) => login.username },
      { head: "SECRET", cell: ({ login }) => login.source.kind },
      {
        head: "EXPIRES",
        cell: ({ expires, expiry }) =>
          expires === undefined
            ? undefined
            : `${expires.toISOString().slice(0, 10)}${expiry === "expired" ? " (over)" : expiry === "expires soon" ? " (soon)" : ""}`,
        style: ({ expiry }) =>
          expiry === "expired" ? "red" : expiry === "expires soon" ? "yellow" : undefined,
      },
      ...(isOffline
        ? []
        : [
            {
              head: "THE REGISTRY SAYS",
              cell: statusWords,
              style: ({ error }: LoginStatus) =>
                error === undefined ? ("green" as const) : ("red" as const),
            },
          ]),
    ],
    statuses,
    color,
  );
}

/** What a registry says of a login, in a few words. */
export function statusWords(status: LoginStatus): string {
  if (status.error !== undefined) return status.error.message;
  if (status.proof === undefined) return "not asked";
  return status.proof.outcome === "proved" ? "good" : status.proof.detail;
}
