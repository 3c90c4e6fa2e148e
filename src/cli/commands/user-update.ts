import { AppError } from "#core";
import type { Command } from "../command.ts";
import {
  checkSomething,
  descriptionOption,
  enableOptions,
  parseDisabled,
  registryOption,
  requiredArg,
  textOption,
} from "../manage/option-specs.ts";
import { printDone } from "../manage/print.ts";

export const userUpdate: Command = {
  path: ["user", "update"],
  doing: "changing the user",
  summary: "disable or enable a user, make one admin (admins), or describe yourself",
  examples: [{ command: "wharf user update alice --disable", says: "refused from her next request on" }],
  args: [{ name: "user", summary: "the name" }],
  options: [
    ...enableOptions,
    { flag: "--make-admin", summary: "an admin of the whole registry" },
    { flag: "--make-user", summary: "no admin any more" },
    descriptionOption,
    registryOption,
  ],
  async run(invocation) {
    const { options } = invocation;
    const { connect } = await import("../manage/connect.ts");
    const [makeAdmin, makeUser] = [options["makeAdmin"] === true, options["makeUser"] === true];
    if (makeAdmin && makeUser) throw new AppError("USAGE", "--make-admin and --make-user exclude each other");
    const description = textOption(invocation, "description");
    const change = checkSomething({
      ...parseDisabled(invocation),
      ...(makeAdmin || makeUser ? { admin: makeAdmin } : {}),
      ...(description === undefined ? {} : { description }),
    });
    const { client } = await connect(invocation);
    const user = await client.updateUser(requiredArg(invocation, "user"), change);
    const state = `${user.disabled ? "disabled" : "active"}${user.admin ? ", admin" : ""}`;
    printDone(invocation, user, `${user.name}: ${state}`);
    return 0;
  },
};
