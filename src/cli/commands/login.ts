import { resolve } from "node:path";
import { AppError, type Secret } from "#core";
import type { OfferedCa } from "#delivery";
import type { Command, Invocation } from "../command.ts";
import { fetchOf, surroundingsOf } from "../delivery-surroundings.ts";
import { askSecret, parseExpires, readGivenSecret } from "../login-secret.ts";
import { plainText } from "../plain-text.ts";

export const login: Command = {
  path: ["login"],
  doing: "logging in",
  summary: "prove a login, seal its secret in the vault and write it to wharf.yaml",
  description:
    "The login is proved by the exchange that docker and its kin do: a registry that lets anybody in proves nothing. The secret is asked for, or read from standard input; it never stands on a command line. A login that is there already (same name, or same images) is renewed.",
  examples: [
    { command: "wharf login nvcr.io -u '$oauthtoken'", says: "asks for the key" },
    {
      command: "wharf login registry.example.org/team-a -u robot-a --password-stdin < token",
      says: "for the images of one project, the secret from a file",
    },
  ],
  args: [{ name: "registry", summary: "host[:port], with /path for only the images below it" }],
  options: [
    { flag: "-u, --username <name>", summary: "the account; asked for where it is not said" },
    {
      flag: "--password-stdin",
      summary: "read the secret from standard input (one trailing newline is dropped)",
    },
    { flag: "--as <name>", summary: "the login's name in wharf.yaml" },
    {
      flag: "--ca <file>",
      summary: "PEM certificate of the registry's private CA; it is delivered with the login",
    },
    {
      flag: "--ca-fingerprint <sha256>",
      summary: "trust the CA that the registry itself offers, if it has this SHA-256 fingerprint",
    },
    {
      flag: "--plain-http",
      summary: "speak without TLS (registries on this machine may always be spoken to so)",
    },
    { flag: "--expires <date>", summary: "when the secret ends, as 2027-03-01" },
    { flag: "--unproved", summary: "save it though the registry asks nobody for a login" },
    { flag: "-p, --password <secret>", summary: "is refused", hidden: true },
  ],
  async run(invocation) {
    const { args, options, terminal, context, configFile } = invocation;
    if (options["password"] !== undefined)
      throw new AppError("USAGE", "a secret on a command line is seen by every user of this machine", {
        hint: "leave -p out to be asked for it, or pipe it in with --password-stdin; and since it was typed once, replace it at the registry",
      });
    const { configForLogin, draftLogin, enrollLogin } = await import("#delivery");
    const surroundings = surroundingsOf(invocation);
    const wish = {
      registry: String(args["registry"]),
      username: textOf(options["username"]),
      name: textOf(options["as"]),
      expires: parseExpires(options["expires"]),
      plainHttp: options["plainHttp"] === true,
      caFile: options["ca"] === undefined ? undefined : resolve(invocation.cwd, String(options["ca"])),
      unproved: options["unproved"] === true,
    };
    const draft = draftLogin(await configForLogin(surroundings, configFile), wish);
    const username = draft.username ?? (await terminal.ask(`username for ${wish.registry}: `));
    if (username === "")
      throw new AppError("INVALID_INPUT", "the username is empty", { hint: "give it with -u" });
    if (username.includes(":"))
      throw new AppError("INVALID_INPUT", "a username has no ':' in it", {
        hint: "registries are sent NAME:SECRET: what stands before the ':' is the username, and what comes behind it belongs to the secret",
      });
    const secret = await readSecret(invocation, username, wish.registry);
    const fetch = await fetchOf(invocation);
    const done = await enrollLogin(context, surroundings, configFile, {
      wish,
      draft,
      username,
      secret,
      fetch,
      environment: invocation.env,
      confirmCa: (offered) => confirmCa(invocation, offered),
    });
    if (done.madeKeyFile !== undefined)
      terminal.err(
        `made the vault's key ${done.madeKeyFile}: without it no secret can be had back, so keep a copy (${invocation.typedAs} vault backup-key)\n`,
      );
    if (done.proof?.outcome === "accepted-unproved") terminal.err(`warning: ${done.proof.detail}\n`);
    if (invocation.json) {
      terminal.out(
        `${JSON.stringify({
          login: draft.name,
          registry: wish.registry,
          username,
          proof: done.proof === undefined ? null : { outcome: done.proof.outcome, detail: done.proof.detail },
          replaced: draft.replaces,
          config: done.configPath,
          vault: done.vaultPath,
          madeKeyFile: done.madeKeyFile ?? null,
        })}\n`,
      );
      return 0;
    }
    const how = done.proof === undefined ? "not proved" : done.proof.detail;
    terminal.out(
      `${draft.replaces ? "renewed" : "added"} login ${draft.name}: ${username} at ${wish.registry} (${how})\n`,
    );
    terminal.err(`next: ${invocation.typedAs} apply\n`);
    return 0;
  },
};

/** Never trusted on first sight: a person, or the command line, says that this fingerprint is the server's. */
async function confirmCa(invocation: Invocation, offered: OfferedCa): Promise<boolean> {
  const { options, terminal } = invocation;
  const plain = (text: string): string => text.replaceAll(/[^0-9a-fA-F]/g, "").toLowerCase();
  const expected = options["caFingerprint"];
  if (typeof expected === "string") return plain(expected) === plain(offered.fingerprint);
  if (!terminal.isInTerminal) return false;
  terminal.err(
    `this machine does not trust the registry's certificate. The registry offers its own CA:\n  ${plainText(offered.subject)}\n  SHA-256 ${offered.fingerprint}\nwharf serve printed the fingerprint when it started.\n`,
  );
  return await terminal.confirm("is it the same?", false);
}

async function readSecret(invocation: Invocation, username: string, registry: string): Promise<Secret> {
  const about = { name: `${username} at ${registry}` };
  return (
    (await readGivenSecret(invocation, about)) ??
    (await askSecret(invocation, about, {
      what: "the secret",
      question: `secret of ${username} at ${registry}: `,
      hint: "pipe it in with --password-stdin",
    }))
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
