import { AppError, isAppError, toAppError } from "#core";
import type { PlanInput } from "#delivery";
import type { Login } from "#logins";
import type { Command, Invocation } from "../command.ts";
import { AT_OPTION, chosenDeliveryOf, surroundingsOf } from "../delivery-surroundings.ts";
import { plainText } from "../plain-text.ts";
import { errorDocument, outcomesDocument, renderOutcomes } from "../render-plan.ts";

export const revoke: Command = {
  path: ["revoke"],
  doing: "revoking the login",
  summary: "remove every delivered copy of a login, and the login itself",
  description:
    "Removes it from every target it was delivered to, changed there since or not, under all spellings of Docker Hub; then from wharf.yaml and the vault (--keep leaves those). Says what it could not reach, with exit code 3: run it again when that is back. Where the registry is a Wharfinger registry that you are signed in to, its token is revoked there too, after a question; elsewhere the secret is good until it is deleted at the registry.",
  examples: [
    { command: "wharf revoke ngc", says: "when its secret leaked" },
    { command: "wharf revoke team-a --revoke-token", says: "and its token at our registry, without asking" },
    { command: "wharf revoke ngc --keep", says: "the copies alone" },
  ],
  args: [{ name: "login", summary: "the login's name" }],
  options: [
    { flag: "--keep", summary: "leave the login in wharf.yaml and its secret in the vault" },
    { flag: "--revoke-token", summary: "revoke its token at our registry without asking" },
    {
      ...AT_OPTION,
      summary: "the copies at this place alone, or these hosts: ssh://gpu[01-10]; implies --keep",
    },
  ],
  async run(invocation) {
    const { args, options, terminal, context, typedAs } = invocation;
    const name = String(args["login"]);
    const input = await chosenDeliveryOf(invocation);
    const { revokeCopies } = await import("#delivery");
    const { deleteLogin } = await import("#logins");
    const login = input.config.logins.get(name);
    const isKept = options["keep"] === true || options["at"] !== undefined;
    const outcomes = await revokeCopies(context, input, name);
    const failed = outcomes.filter((outcome) => outcome.error !== undefined);
    if (!invocation.json) terminal.out(renderOutcomes(outcomes, terminal.color));
    // While its secret is in the vault: that is what says which token it is.
    const token = isKept || login === undefined ? "not asked" : await revokeToken(invocation, input, login);
    const isTokenLeft = token instanceof AppError;
    const isDeleted = !isKept && !isTokenLeft;
    if (isDeleted) await deleteLogin(context, surroundingsOf(invocation), input.config.path, name);
    if (invocation.json)
      terminal.out(
        `${JSON.stringify({
          login: name,
          kept: !isDeleted,
          token: isTokenLeft ? "failed" : token,
          error: errorDocument(isTokenLeft ? token : undefined),
          targets: outcomesDocument(outcomes),
        })}\n`,
      );
    else {
      const removed = outcomes.flatMap((outcome) => outcome.written).length;
      terminal.err(
        failed.length > 0
          ? `${failed.length} of ${outcomes.length} targets could not be reached: run this again when they are back\n`
          : `login ${name}: ${removed === 0 ? "no copy was in place" : `${removed} file${removed === 1 ? "" : "s"} changed`}${isDeleted ? "" : "; it is still in wharf.yaml, so apply would deliver it again"}\n`,
      );
      if (isTokenLeft)
        terminal.err(
          `its token could not be revoked, so the login stays here: ${plainText(token.message)}; run this again\n`,
        );
      else if (token === "revoked") terminal.err(`its token is revoked at ${login?.registry}\n`);
      else if (token === "not asked" && isDeleted)
        terminal.err(
          `its token is still good at ${login?.registry}: revoke it there (\`${typedAs} token list\`, \`${typedAs} token delete\`)\n`,
        );
      else if (login !== undefined)
        terminal.err(`the secret itself is good until it is deleted at ${login.registry}\n`);
    }
    return failed.length > 0 || isTokenLeft ? 3 : 0;
  },
};

/**
 * Revokes the token that the login's secret is, and one that a rotation holds beside it, where the registry is ours and somebody says
 * yes. Gives why it could not be done: the login must stay then, or nobody could name the token any more.
 */
async function revokeToken(
  invocation: Invocation,
  input: PlanInput,
  login: Login,
): Promise<"not ours" | "not asked" | "revoked" | AppError> {
  const { terminal, options, typedAs } = invocation;
  const { findTokenIssuer } = await import("../manage/token-issuer.ts");
  try {
    const issuer = await findTokenIssuer(invocation, login);
    if (issuer === undefined) {
      if (options["revokeToken"] !== true) return "not ours";
      throw new AppError("UNAUTHORIZED", `you are not signed in to ${login.registry}`, {
        hint: `\`${typedAs} sign-in ${login.registry}\` first`,
      });
    }
    const rotation = (await input.secrets.vault())?.rotations.get(login.name);
    const secrets = [await input.secrets.read(login), rotation?.leaving].filter((one) => one !== undefined);
    const ids = (await Promise.all(secrets.map((secret) => issuer.readTokenId(secret)))).filter(
      (id) => id !== undefined,
    );
    if (ids.length === 0) return "not ours";
    const isAsked = options["revokeToken"] !== true && terminal.isInTerminal && !invocation.json;
    if (isAsked && !(await terminal.confirm(`revoke its token at ${issuer.url} too?`, true)))
      return "not asked";
    if (!isAsked && options["revokeToken"] !== true) return "not asked";
    for (const id of ids) await issuer.revokeToken(id);
    if (rotation?.issuer !== undefined && rotation.leaving === undefined)
      await issuer.revokeNamed(rotation.issuer.tokenName);
    return "revoked";
  } catch (cause) {
    if (isAppError(cause, "INTERRUPTED")) throw cause;
    return toAppError(cause);
  }
}
