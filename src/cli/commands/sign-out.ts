import { AppError, toAppError } from "#core";
import type { Command } from "../command.ts";

export const signOut: Command = {
  path: ["sign-out"],
  doing: "signing out",
  summary: "revoke the token of a sign-in and forget it",
  examples: [
    { command: "wharf sign-out", says: "of the registry signed in to last" },
    { command: "wharf sign-out registry.example.org", says: "of this one" },
  ],
  args: [{ name: "url", summary: "the registry (if not said: the one signed in to last)", required: false }],
  async run(invocation) {
    const { terminal, context, env, cwd, args, json } = invocation;
    const { connect } = await import("../manage/connect.ts");
    const { changeSignIns } = await import("../manage/sign-in-store.ts");
    const options = args["url"] === undefined ? {} : { registry: String(args["url"]) };
    const { client, signIn } = await connect({ ...invocation, options });
    const { url, username, tokenId } = signIn;
    let problem: AppError | undefined;
    try {
      await client.revokeToken({ user: username }, tokenId);
    } catch (cause) {
      problem = toAppError(cause);
    }
    await changeSignIns(context, { env, cwd }, (all) => all.filter((entry) => entry.url !== url));
    // Refused because it no longer counts: that is what was wanted.
    const isRevoked = problem === undefined || problem.row.status === 401;
    if (json) terminal.out(`${JSON.stringify({ url, username, revoked: isRevoked })}\n`);
    else terminal.err(`signed out of ${url}\n`);
    if (isRevoked) return 0;
    throw new AppError(
      "PARTLY_FAILED",
      `forgot the sign-in, but its token is in force still: ${problem?.message}`,
      {
        hint: `revoke it with another sign-in: wharf token delete ${tokenId} --user ${username}`,
        cause: problem,
      },
    );
  },
};
