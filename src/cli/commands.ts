import type { Command } from "./command.ts";

export type CommandLoader = () => Promise<Command>;

/** A heading of the help, with its commands in the order of the help. */
export interface CommandSection {
  readonly title: string;
  /** Words after `wharf` → the command. Only the file of the command that was asked for is loaded. */
  readonly commands: Readonly<Record<string, CommandLoader>>;
}

/** The one list of commands: a command that is not here does not exist. */
export const sections: readonly CommandSection[] = [
  {
    title: "Deliver logins",
    commands: {
      login: async () => (await import("./commands/login.ts")).login,
      logins: async () => (await import("./commands/logins.ts")).logins,
      logout: async () => (await import("./commands/logout.ts")).logout,
      import: async () => (await import("./commands/import.ts")).importLogins,
      init: async () => (await import("./commands/init.ts")).init,
      plan: async () => (await import("./commands/plan.ts")).plan,
      apply: async () => (await import("./commands/apply.ts")).apply,
      check: async () => (await import("./commands/check.ts")).check,
      watch: async () => (await import("./commands/watch.ts")).watch,
      doctor: async () => (await import("./commands/doctor.ts")).doctor,
      why: async () => (await import("./commands/why.ts")).why,
      render: async () => (await import("./commands/render.ts")).render,
      rotate: async () => (await import("./commands/rotate.ts")).rotate,
      revoke: async () => (await import("./commands/revoke.ts")).revoke,
      "kube inject": async () => (await import("./commands/kube-inject.ts")).kubeInject,
      "kube controller": async () => (await import("./commands/kube-controller.ts")).kubeController,
      "kube rbac": async () => (await import("./commands/kube-rbac.ts")).kubeRbac,
      adopt: async () => (await import("./commands/adopt.ts")).adopt,
      "credential-helper": async () => (await import("./commands/credential-helper.ts")).credentialHelper,
      trust: async () => (await import("./commands/trust.ts")).trust,
      "vault recipients": async () => (await import("./commands/vault.ts")).vaultRecipients,
      "vault seal": async () => (await import("./commands/vault-seal.ts")).vaultSeal,
      "vault rekey": async () => (await import("./commands/vault.ts")).vaultRekey,
      "vault backup-key": async () => (await import("./commands/vault.ts")).vaultBackupKey,
    },
  },
  {
    title: "Pull images",
    commands: {
      pull: async () => (await import("./commands/pull.ts")).pull,
      copy: async () => (await import("./commands/copy.ts")).copy,
      inspect: async () => (await import("./commands/inspect.ts")).inspect,
      "cache list": async () => (await import("./commands/cache-list.ts")).cacheList,
      "cache prune": async () => (await import("./commands/cache-prune.ts")).cachePrune,
      "pyxis-importer": async () => (await import("./commands/pyxis-importer.ts")).pyxisImporter,
    },
  },
  {
    title: "Serve a registry",
    commands: {
      serve: async () => (await import("./commands/serve.ts")).serve,
    },
  },
  {
    title: "Manage a registry",
    commands: {
      "sign-in": async () => (await import("./commands/sign-in.ts")).signIn,
      "sign-out": async () => (await import("./commands/sign-out.ts")).signOut,
      "project create": async () => (await import("./commands/project-create.ts")).projectCreate,
      "project list": async () => (await import("./commands/project-list.ts")).projectList,
      "project show": async () => (await import("./commands/project-show.ts")).projectShow,
      "project update": async () => (await import("./commands/project-update.ts")).projectUpdate,
      "project delete": async () => (await import("./commands/project-delete.ts")).projectDelete,
      "member add": async () => (await import("./commands/member-add.ts")).memberAdd,
      "member list": async () => (await import("./commands/member-list.ts")).memberList,
      "member remove": async () => (await import("./commands/member-remove.ts")).memberRemove,
      "user create": async () => (await import("./commands/user-create.ts")).userCreate,
      "user list": async () => (await import("./commands/user-list.ts")).userList,
      "user show": async () => (await import("./commands/user-show.ts")).userShow,
      "user update": async () => (await import("./commands/user-update.ts")).userUpdate,
      "user password": async () => (await import("./commands/user-password.ts")).userPassword,
      "user delete": async () => (await import("./commands/user-delete.ts")).userDelete,
      "robot create": async () => (await import("./commands/robot-create.ts")).robotCreate,
      "robot list": async () => (await import("./commands/robot-list.ts")).robotList,
      "robot show": async () => (await import("./commands/robot-show.ts")).robotShow,
      "robot update": async () => (await import("./commands/robot-update.ts")).robotUpdate,
      "robot delete": async () => (await import("./commands/robot-delete.ts")).robotDelete,
      "token create": async () => (await import("./commands/token-create.ts")).tokenCreate,
      "token list": async () => (await import("./commands/token-list.ts")).tokenList,
      "token show": async () => (await import("./commands/token-show.ts")).tokenShow,
      "token update": async () => (await import("./commands/token-update.ts")).tokenUpdate,
      "token delete": async () => (await import("./commands/token-delete.ts")).tokenDelete,
    },
  },
  {
    title: "This program",
    commands: {
      demo: async () => (await import("./commands/demo.ts")).demo,
      completion: async () => (await import("./commands/completion.ts")).completion,
      version: async () => (await import("./commands/version.ts")).versionCommand,
    },
  },
];

/** What a first word that has several commands is about, for its help. */
export const groups: Readonly<Record<string, string>> = {
  project: "projects of a registry: what images lie under, and who may use them",
  member: "who may use a project, and how",
  user: "people who may use a registry",
  robot: "accounts for machines, of one project or of the site",
  token: "named, expiring secrets of a user or a robot",
  cache: "what pulls keep on this machine, so that nothing is fetched twice",
  kube: "what a Kubernetes cluster needs around its deliveries",
  vault: "the encrypted file that holds the secrets of logins",
};
