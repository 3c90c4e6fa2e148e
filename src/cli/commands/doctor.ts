import { resolve } from "node:path";
import { AppError, parseObjectPath } from "#core";
import type { Examination, FileReport } from "#delivery";
import type { Command, Invocation } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";
import { examinationDocument, renderExamination, renderMending } from "../render-examination.ts";

export const doctor: Command = {
  path: ["doctor"],
  doing: "looking for mistakes",
  summary: "find known mistakes in login files, scripts and pages, and mend what is sure",
  description:
    "Looks at the files named, else at every program's own files on this machine, or at --at. A file is known by its content: config.json and auth.json, a Secret, .credentials, TOML, registries.yaml, a definition file, vars for Ansible, a script, a page with code blocks. In a cluster ServiceAccounts and pull secrets are read, which needs list of serviceaccounts and get and list of secrets; what may not be read is said, and nothing is mended there. Each mistake has a number of docs/reference/doctor.md and says the right value; no secret is ever printed. --fix shows what changes, asks, and writes; it keeps no copy, since that would be one more file with secrets. Exit code 3 when something was found.",
  examples: [
    { command: "wharf doctor", says: "every program's files on this machine" },
    { command: "wharf doctor secret.yaml README.md", says: "these files" },
    { command: "wharf doctor --fix ~/.docker/config.json", says: "mend what is sure, after a question" },
    { command: "wharf doctor --at 'ssh://root@gpu[01-10]'", says: "these hosts" },
    {
      command: "wharf doctor --at k8s://prod -n team-a",
      says: "ServiceAccounts and pull secrets of a namespace",
    },
  ],
  args: [{ name: "file", summary: "files to look at", required: false, variadic: true }],
  options: [
    { flag: "--at <place>", summary: "look at this place: ssh://HOST, k8s://CONTEXT, folder:DIR or local" },
    { flag: "-n, --namespace <name>", summary: "in a cluster: this namespace, not all" },
    { flag: "--fix", summary: "mend what is sure" },
    { flag: "--yes", summary: "with --fix: do not ask" },
  ],
  async run(invocation) {
    const { terminal, options } = invocation;
    const found = await examine(invocation);
    const faults = found.files.flatMap((file) => file.faults);
    const isFixing = options["fix"] === true;
    if (!invocation.json && !isFixing) terminal.out(renderExamination(found, terminal.color));
    const written = isFixing ? await fix(invocation, found) : [];
    if (invocation.json) terminal.out(`${JSON.stringify(examinationDocument(found, written))}\n`);
    else if (!isFixing) summarise(invocation, found);
    const left = found.files.flatMap((file) =>
      written.includes(file) ? (file.mending?.left ?? []) : file.faults,
    );
    if (isFixing && !invocation.json) {
      terminal.out(
        renderExamination(
          { ...found, files: found.files.map((file) => leftOf(file, written)) },
          terminal.color,
        ),
      );
      if (left.length === 0 && faults.length > 0) terminal.err("nothing is left to mend\n");
      if (faults.length === 0) summarise(invocation, found);
    }
    return left.length > 0 || found.passedOver.length > 0 ? 3 : 0;
  },
};

async function examine(invocation: Invocation): Promise<Examination> {
  const { args, options, context, cwd } = invocation;
  const { createInventory, examineFiles, examinePlace } = await import("#delivery");
  const { parsePlace } = await import("#logins");
  const surroundings = surroundingsOf(invocation);
  const named = Array.isArray(args["file"]) ? args["file"].map(String) : [];
  const at = options["at"];
  if (named.length > 0 && at !== undefined)
    throw new AppError("USAGE", "files and --at are two ways of saying what to look at", {
      hint: "give one of them",
    });
  if (named.length > 0)
    return await examineFiles(
      context,
      surroundings,
      named.map((file) => resolve(cwd, file)),
    );
  const namespace = options["namespace"];
  const place = parsePlace(typeof at === "string" ? at : "local", (folder) => resolve(cwd, folder));
  if (typeof namespace !== "string")
    return await examinePlace(context, createInventory(surroundings, cwd), place);
  if (place.kind !== "k8s")
    throw new AppError("USAGE", "-n is for a cluster", { hint: "add --at k8s://CONTEXT" });
  return await examinePlace(context, createInventory(surroundings, cwd), place, namespace);
}

/** Shows what changes, asks, and writes. The files that were written. */
async function fix(invocation: Invocation, found: Examination): Promise<readonly FileReport[]> {
  const { terminal, options } = invocation;
  const mendable = found.files.filter(({ mending }) => mending !== undefined);
  if (mendable.length === 0) return [];
  for (const file of mendable) terminal.err(renderMending(file, terminal.color));
  if (options["yes"] !== true) {
    if (!terminal.isInTerminal)
      throw new AppError("USAGE", "there is no terminal to ask whether to write this", { hint: "add --yes" });
    if (!(await terminal.confirm("write this?", true))) {
      terminal.err("nothing was written\n");
      return [];
    }
  }
  for (const file of mendable) {
    await file.mending?.write();
    if (!invocation.json) terminal.out(`mended ${file.path}\n`);
  }
  return mendable;
}

function leftOf(file: FileReport, written: readonly FileReport[]): FileReport {
  return written.includes(file) ? { ...file, faults: file.mending?.left ?? [] } : file;
}

function summarise({ terminal, typedAs }: Invocation, found: Examination): void {
  const wrong = found.files.filter(({ faults }) => faults.length > 0);
  const count = wrong.reduce((sum, { faults }) => sum + faults.length, 0);
  const mends = wrong.reduce((sum, { mending }) => sum + (mending?.says.length ?? 0), 0);
  const isCluster =
    found.files.length > 0 && found.files.every(({ path }) => parseObjectPath(path) !== undefined);
  const what = isCluster ? "object" : "file";
  const files = (number: number): string => `${number} ${number === 1 ? what : `${what}s`}`;
  const missed =
    found.passedOver.length === 0 ? "" : `, and ${found.passedOver.length} could not be looked at`;
  if (count === 0) terminal.err(`no known mistake in ${files(found.files.length)}${missed}\n`);
  else
    terminal.err(
      `${count} known ${count === 1 ? "mistake" : "mistakes"} in ${files(wrong.length)}${
        mends === 0 ? "" : `; ${typedAs} doctor --fix mends ${mends}`
      }\n`,
    );
}
