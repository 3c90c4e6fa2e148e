import { AppError, type Secret } from "#core";
import type { NewSecret, Remaining, RotateInput, RotationReport, RotationStage } from "#delivery";
import type { Login, Surroundings } from "#logins";
import type { Command, Invocation } from "../command.ts";
import { fetchOf, surroundingsOf } from "../delivery-surroundings.ts";
import { askSecret, parseExpires, readGivenSecret } from "../login-secret.ts";
import { plainText } from "../plain-text.ts";
import { errorDocument, outcomesDocument, renderOutcomes } from "../render-plan.ts";

export const rotate: Command = {
  path: ["rotate"],
  doing: "rotating the login",
  summary: "give a login a new secret everywhere, then revoke the old one",
  description:
    "The new secret is made by the registry where it is a Wharfinger registry that you are signed in to, printed by the login's renew: command, read from standard input, or asked for. It is proved, sealed beside the old one, delivered to every target and proved again; then it is waited until the programs use it (the kubelet looks again after 5 minutes), and the old one is revoked. Both are good meanwhile.\n\nIt may be stopped at any moment: a journal in the vault knows how far it came. --continue goes on, --abort goes back to the old secret. Where a program must be restarted, or a folder rolled out, it stops and says so: do it, then --continue --taken-up. Exit code 3 while something remains.",
  examples: [
    { command: "wharf rotate team-a", says: "a new token from our registry, or asks for the secret" },
    { command: "wharf rotate hub --password-stdin < token", says: "the new secret from a file" },
    { command: "wharf rotate team-a --continue", says: "after a node was down, or wharf was stopped" },
  ],
  args: [{ name: "login", summary: "the login's name in wharf.yaml" }],
  options: [
    {
      flag: "--password-stdin",
      summary: "read the new secret from standard input (one trailing newline is dropped)",
    },
    { flag: "--expires <date>", summary: "when the new secret ends, as 2027-03-01" },
    { flag: "--continue", summary: "go on with a rotation that was stopped" },
    { flag: "--abort", summary: "put the old secret back everywhere, and revoke the new one" },
    { flag: "--taken-up", summary: "with --continue: the restarts and roll-outs that were named are done" },
    { flag: "--no-wait", summary: "do not wait for programs that look again later: say what remains" },
  ],
  async run(invocation) {
    const { args, options, terminal, context } = invocation;
    const name = String(args["login"]);
    const isGoingOn = options["continue"] === true;
    const isTurning = options["abort"] === true;
    if (isGoingOn && isTurning) throw new AppError("USAGE", "--continue and --abort exclude each other");
    if (options["takenUp"] === true && !isGoingOn)
      throw new AppError(
        "USAGE",
        "--taken-up goes with --continue: nothing can be taken up before it is delivered",
      );
    const { beginRotation, resumeRotation, turnRotation } = await import("#delivery");
    const { readConfig } = await import("#logins");
    const surroundings = askedOnce(surroundingsOf(invocation));
    const config = await readConfig(surroundings, invocation.configFile);
    const input = await rotateInput(invocation, surroundings, config.path);
    const login = config.logins.get(name);
    const report = isTurning
      ? await turnRotation(context, input, name)
      : isGoingOn || login === undefined || login.source.kind !== "vault"
        ? await resumeRotation(context, input, name)
        : await beginRotation(context, input, name, await newSecret(invocation, input, login));
    if (invocation.json) terminal.out(`${JSON.stringify(reportDocument(report))}\n`);
    else print(invocation, report, login);
    return report.isDone ? 0 : 3;
  },
};

/** A rotation opens the vault several times, and a person types its passphrase once. */
function askedOnce(surroundings: Surroundings): Surroundings {
  const { askPassphrase } = surroundings;
  if (askPassphrase === undefined) return surroundings;
  let asked: Promise<Secret> | undefined;
  return {
    ...surroundings,
    askPassphrase(question) {
      asked ??= askPassphrase(question);
      return asked;
    },
  };
}

async function rotateInput(
  invocation: Invocation,
  surroundings: Surroundings,
  configPath: string,
): Promise<RotateInput> {
  const { options, terminal } = invocation;
  const { findTokenIssuer } = await import("../manage/token-issuer.ts");
  const { wait } = await import("#system");
  return {
    surroundings,
    configPath,
    fetch: await fetchOf(invocation),
    findIssuer: (login, url) => findTokenIssuer(invocation, login, url),
    said: (stage, detail) => {
      if (!invocation.json)
        terminal.err(`${STAGE_WORDS[stage]}${detail === undefined ? "" : `: ${detail}`}\n`);
    },
    now: () => Date.now(),
    wait,
    noWait: options["wait"] === false,
    takenUp: options["takenUp"] === true,
  };
}

const STAGE_WORDS: Readonly<Record<RotationStage, string>> = {
  begun: "begun: the journal is in the vault",
  "new secret sealed": "sealed: both secrets are in the vault",
  proved: "proved: the registry takes the secret",
  delivered: "delivered: every target has it",
  waiting: "waiting until every program looks again",
  "in use": "in use: no program needs the other secret any more",
  "old secret revoked": "revoked: the registry takes the other secret no more",
  done: "done",
};

async function newSecret(invocation: Invocation, input: RotateInput, login: Login): Promise<NewSecret> {
  const { readConfig, runSecretCommand } = await import("#logins");
  const issuer = await input.findIssuer(login);
  const expires = parseExpires(invocation.options["expires"]);
  const given = (secret: Secret): NewSecret => ({ kind: "given", secret, expires, issuer });
  const piped = await readGivenSecret(invocation, login);
  if (piped !== undefined) return given(piped);
  if (login.renew !== undefined) {
    const config = await readConfig(input.surroundings, input.configPath);
    const from = { surroundings: input.surroundings, config };
    return given(await runSecretCommand(invocation.context, login, login.renew, from));
  }
  if (issuer !== undefined) return { kind: "issuer", issuer };
  const asked = await askSecret(invocation, login, {
    what: "the new secret",
    question: `new secret of ${login.username} at ${login.registry}: `,
    hint: "pipe it in with --password-stdin; a Wharfinger registry makes it by itself after `wharf sign-in`",
  });
  return given(asked);
}

function print(invocation: Invocation, report: RotationReport, login: Login | undefined): void {
  const { terminal, typedAs } = invocation;
  const { direction, isDone, oldSecret, remaining } = report;
  terminal.out(renderOutcomes(report.outcomes, terminal.color));
  if (isDone) {
    terminal.out(
      direction === "forward"
        ? `login ${report.login} has a new secret everywhere\n`
        : `login ${report.login} has its old secret everywhere\n`,
    );
    const leaving = direction === "forward" ? "the old secret" : "the new secret";
    if (oldSecret === "still good")
      terminal.err(`${leaving} is still good: delete it at ${login?.registry ?? "the registry"}\n`);
    if (oldSecret === "refused") terminal.err(`${leaving} is refused by the registry already\n`);
    if (oldSecret === "unknown")
      terminal.err(`it could not be told whether ${leaving} is still good: look at the registry\n`);
    return;
  }
  for (const one of remaining) terminal.err(`remains: ${plainText(remainingWords(one))}\n`);
  const isForPerson = remaining.some((one) => one.kind === "restart" || one.kind === "roll-out");
  terminal.err(
    `both secrets are good until then; go on with: ${typedAs} rotate ${report.login} --continue${isForPerson ? " --taken-up" : ""}\n`,
  );
}

function remainingWords(one: Remaining): string {
  switch (one.kind) {
    case "target":
      return `${one.consumer} at ${one.place}: ${one.why}`;
    case "wait":
      return `${one.why}: until ${one.until.toISOString()}`;
    case "restart":
      return `restart ${one.of} at ${one.place}, which reads its logins when it starts`;
    case "roll-out":
      return `roll out ${one.place}: the files for ${one.consumer} are used from where you take them${one.of === undefined ? "" : `, after a restart of ${one.of}`}`;
    case "registry":
      return `${one.error.message}${one.error.hint === undefined ? "" : ` (${one.error.hint})`}`;
  }
}

function reportDocument(report: RotationReport): unknown {
  return {
    login: report.login,
    done: report.isDone,
    direction: report.direction,
    targets: outcomesDocument(report.outcomes),
    remaining: report.remaining.map((one) =>
      one.kind === "registry"
        ? { kind: one.kind, error: errorDocument(one.error) }
        : one.kind === "wait"
          ? { ...one, until: one.until.toISOString() }
          : one,
    ),
    oldSecret: report.oldSecret ?? null,
  };
}
