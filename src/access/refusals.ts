import { AppError } from "#core";

/** No login, and the thing is not public: the same whether or not it exists. */
export function loginNeeded(): AppError {
  return new AppError("UNAUTHORIZED", "a login is needed", {
    hint: "sign in with a username and a password or token",
  });
}

/** For a project that does not exist, and for one that the caller may not know of: not a letter of difference. */
export function projectUnknown(project: string): AppError {
  return new AppError("PROJECT_UNKNOWN", `there is no project ${JSON.stringify(project)} that you may see`, {
    hint: `check the name, ask its owner to add you, or make it: wharf project create ${project}`,
  });
}

/** For a member, or anybody in a public project. */
export function denied(what: string): AppError {
  return new AppError("DENIED", `you may not ${what}`, {
    hint: "ask an owner of the project, or an admin of the registry, for a role that may",
  });
}

/** For a robot, which has no role. */
export function robotDenied(what: string): AppError {
  return new AppError("DENIED", `this robot may not ${what}`, {
    hint: "ask a maintainer of the project to let it, or for a robot that may",
  });
}

/** The caller may, this Bearer token may not: clients ask for a wider one. */
export function insufficientScope(what: string): AppError {
  return new AppError("INSUFFICIENT_SCOPE", `this Bearer token does not cover it: ${what}`, {
    hint: "ask the token endpoint for a token with this scope",
  });
}
