import { resolve } from "node:path";
import { AppError } from "#core";
import type { ImportOutcome, ImportPlan } from "#delivery";
import type { Command, Invocation } from "../command.ts";
import { fetchOf, surroundingsOf } from "../delivery-surroundings.ts";
import { importDocument, renderImportPlan, renderOutcomes } from "../render-import.ts";

export const importLogins: Command = {
  path: ["import"],
  doing: "importing logins",
  summary: "take the logins of existing files into wharf.yaml and the vault",
  description:
    "Reads every file that wharf writes for a program, and what people had before: a Secret, .credentials, registries.yaml, config.toml, a definition file's header, a vars file for Ansible (in Vault too), scripts with docker login or kubectl create secret, pages with code blocks. The same login in several files is taken once, Docker Hub's spellings are one. Each is proved at its registry; one that is refused is left out. Tokens that end within hours are left out, and said. The files stay as they are. Exit code 3 when a login was left out that somebody may miss.",
  examples: [
    { command: "wharf import --from docker --from podman", says: "what this machine's programs have" },
    { command: "wharf import secret.yaml make-secrets.sh", says: "from files" },
    {
      command: "wharf import config/docker-login.yml --vault-password-file ~/.vault-password",
      says: "DeepOps' list in Ansible Vault",
    },
  ],
  args: [{ name: "file", summary: "files that hold logins", required: false, variadic: true }],
  options: [
    { flag: "--from <program>", summary: "this program's own files on this machine", repeatable: true },
    { flag: "--dry-run", summary: "show what would be taken; ask no registry, write nothing" },
    { flag: "--yes", summary: "do not ask" },
    { flag: "--no-verify", summary: "take them without proof" },
    { flag: "--short-lived", summary: "take tokens of jobs and cloud programs too, which end within hours" },
    {
      flag: "--vault-password-file <file>",
      summary: "the password of Ansible Vault; asked for where it is not said",
    },
  ],
  async run(invocation) {
    const { options, terminal, context, args, cwd, configFile } = invocation;
    const files = Array.isArray(args["file"]) ? args["file"].map(String) : [];
    const programs = Array.isArray(options["from"]) ? options["from"].map(String) : [];
    if (files.length === 0 && programs.length === 0)
      throw new AppError("USAGE", "it is not said what to import", {
        hint: "name files, or a program: --from docker",
      });
    const { applyImport, createInventory, planImport, refuseNothing } = await import("#delivery");
    const surroundings = surroundingsOf(invocation);
    const passwordFile = options["vaultPasswordFile"];
    const plan = await planImport(context, surroundings, createInventory(surroundings, cwd), {
      files: files.map((file) => resolve(cwd, file)),
      programs,
      configFile,
      shortLived: options["shortLived"] === true,
      vaultPasswordFile: typeof passwordFile === "string" ? resolve(cwd, passwordFile) : undefined,
    });
    refuseNothing(plan);
    if (!invocation.json) terminal.err(renderImportPlan(plan, terminal.color));
    const isDry = options["dryRun"] === true;
    const isGoing = !isDry && plan.logins.length > 0 && (await isAgreed(invocation, plan));
    const fetch = isGoing && options["verify"] !== false ? await fetchOf(invocation) : undefined;
    const outcomes = isGoing ? await applyImport(context, surroundings, plan, fetch) : [];
    if (invocation.json) terminal.out(`${JSON.stringify(importDocument(plan, outcomes))}\n`);
    else report(invocation, outcomes);
    return exitCode(plan, outcomes);
  },
};

async function isAgreed(invocation: Invocation, plan: ImportPlan): Promise<boolean> {
  const { terminal, options } = invocation;
  if (options["yes"] === true) return true;
  if (!terminal.isInTerminal)
    throw new AppError("USAGE", "there is no terminal to ask whether to take these logins", {
      hint: "add --yes, or --dry-run to look only",
    });
  const count = plan.logins.length === 1 ? "this login" : `these ${plan.logins.length} logins`;
  const yes = await terminal.confirm(`take ${count} into ${plan.configPath}?`, true);
  if (!yes) terminal.err("nothing was written\n");
  return yes;
}

function report({ terminal, typedAs }: Invocation, outcomes: readonly ImportOutcome[]): void {
  if (outcomes.length === 0) return;
  terminal.out(renderOutcomes(outcomes, terminal.color));
  if (outcomes.some(({ error }) => error === undefined))
    terminal.err(`next: ${typedAs} apply, and take the old copies away where nothing reads them\n`);
}

function exitCode(plan: ImportPlan, outcomes: readonly ImportOutcome[]): number {
  const isMissed =
    plan.unread.length > 0 ||
    plan.leftOut.some(({ kind }) => kind !== "example" && kind !== "there") ||
    outcomes.some(({ error }) => error !== undefined);
  return isMissed ? 3 : 0;
}
