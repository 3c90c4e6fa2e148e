import { resolve } from "node:path";
import { AppError, Secret } from "#core";
import type { Command, Invocation } from "../command.ts";
import { parseDays, textOption } from "../manage/option-specs.ts";

const DEFAULT_URL = "http://127.0.0.1:5000";
const DAYS = 90;

export const signIn: Command = {
  path: ["sign-in"],
  doing: "signing in",
  summary: "sign in to a registry with your own account, to manage it",
  description:
    "Makes a token of your account and keeps it in sign-ins.json in your configuration folder, mode 0600; the password is not kept. A sign-in is yours alone: it is never delivered to machines and no program is given it. For logins that programs pull with, see wharf login and wharf robot create.\n\nThe commands project, member, user, robot and token use the last sign-in; --registry chooses another one.",
  examples: [
    { command: "wharf sign-in registry.example.org -u alice", says: "asks for the password" },
    {
      command: "wharf sign-in -u admin --password-stdin < wharf-data/admin-password",
      says: "to the registry on this machine",
    },
  ],
  args: [{ name: "url", summary: `the registry (if not said: ${DEFAULT_URL})`, required: false }],
  options: [
    { flag: "-u, --username <name>", summary: "your account; asked for where it is not said" },
    { flag: "--password-stdin", summary: "read the password, or a token, from standard input" },
    { flag: "--ca <file>", summary: "PEM certificate of the registry's private CA" },
    { flag: "--plain-http", summary: "speak without TLS to another machine" },
    {
      flag: "--expires-in-days <days>",
      summary: `days until you must sign in again, 1 to 3650, or never (if not said: ${DAYS})`,
    },
  ],
  async run(invocation) {
    const { terminal, context, env, cwd, args, options, json, typedAs } = invocation;
    const { createApiClient } = await import("#api/client");
    const { createApiFetch } = await import("../manage/connect.ts");
    const { parseRegistryUrl } = await import("../manage/registry-url.ts");
    const { readPassword } = await import("../manage/read-password.ts");
    const { changeSignIns, readSignIns, signInPath } = await import("../manage/sign-in-store.ts");

    const url = parseRegistryUrl(String(args["url"] ?? DEFAULT_URL), options["plainHttp"] === true);
    const ca = textOption(invocation, "ca");
    const caFile = ca === undefined ? undefined : resolve(cwd, ca);
    const { expiresInDays = DAYS } = parseDays(invocation);
    const fetch = await createApiFetch(context, env, caFile);
    const username = textOption(invocation, "username") ?? (await terminal.ask(`username at ${url}: `));
    const password = await readPassword(invocation, `password of ${username} at ${url}: `);
    const client = createApiClient({ url, credentials: { username, secret: password }, fetch });
    const { kind, name } = await client.whoami();
    if (kind !== "user")
      throw new AppError("DENIED", `${name} is a robot: robots manage nothing`, {
        hint: `to pull and push with it: ${typedAs} login ${new URL(url).host} -u ${name}`,
      });
    const made = await client.createToken({ user: name }, { name: await tokenName(), expiresInDays });
    const { id: tokenId, expiresAt } = made;
    const fresh = { url, username: name, tokenId, secret: new Secret(made.secret), expiresAt, caFile };
    const before = (await readSignIns({ env, cwd })).find((entry) => entry.url === url);
    await changeSignIns(context, { env, cwd }, (all) => [fresh, ...all.filter((entry) => entry.url !== url)]);
    // The token that this one replaces: nobody holds it any more.
    if (before?.username === name)
      await client.revokeToken({ user: name }, before.tokenId).catch((cause: unknown) => {
        context.log.warn("the token of the sign-in before was not revoked", { cause });
      });
    const file = signInPath({ env, cwd });
    if (json) terminal.out(`${JSON.stringify({ url, username: name, tokenId, expiresAt, file })}\n`);
    else terminal.err(renderSignedIn(invocation, { url, name, expiresAt, file }));
    return 0;
  },
};

function renderSignedIn(
  { typedAs }: Invocation,
  done: {
    readonly url: string;
    readonly name: string;
    readonly expiresAt: string | null;
    readonly file: string;
  },
): string {
  const until = done.expiresAt === null ? "" : ` until ${done.expiresAt.slice(0, 10)}`;
  return `signed in to ${done.url} as ${done.name}${until}; kept in ${done.file}\nnext: ${typedAs} project list\n`;
}

/** Says in the list of tokens where it is used; no two are alike. */
async function tokenName(): Promise<string> {
  const { readMachineNames } = await import("#system");
  const host = readMachineNames()
    .hostname.replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .slice(0, 60);
  return `sign-in ${host} ${crypto.randomUUID().slice(0, 8)}`;
}
