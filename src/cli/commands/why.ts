import { resolve } from "node:path";
import { AppError } from "#core";
import type { PodQuestion, WhyAnswer } from "#delivery";
import type { Command, Invocation } from "../command.ts";
import { fetchOf, surroundingsOf } from "../delivery-surroundings.ts";
import { plainText } from "../plain-text.ts";
import { errorDocument } from "../render-plan.ts";
import { renderTable } from "../table.ts";

export const why: Command = {
  path: ["why"],
  doing: "explaining the image",
  summary: "for each program here: which login it would use for an image, and whether the pull is let in",
  description:
    "Reads what the programs themselves would read, by their own rules; runs none of their helpers. Then asks the registry with exactly that (--offline does not). Needs no wharf.yaml. Exits 0 once it has explained, whatever the registry answers; `wharf check` is what fails when something is off.",
  examples: [
    { command: "wharf why nvcr.io/nvidia/pytorch:24.01-py3", says: "why a pull fails, and what to do" },
    {
      command: "wharf why nvcr.io/nvidia/pytorch:24.01-py3 --at k8s://prod -n ml --service-account default",
      says: "what the kubelet would send for a pod there",
    },
    { command: "wharf why registry.example.org/team-a/app --offline --json", says: "for scripts" },
  ],
  args: [{ name: "image", summary: "as it would be pulled; without a registry it is Docker Hub's" }],
  options: [
    { flag: "--offline", summary: "do not ask the registry" },
    {
      flag: "--at <place>",
      summary: "the programs at another place: ssh://gpu01, k8s://prod; the registry is asked from here",
    },
    { flag: "-n, --namespace <name>", summary: "in a cluster: the pods of this namespace" },
    { flag: "--service-account <name>", summary: "in a cluster: a new pod of this ServiceAccount (default)" },
    {
      flag: "--pod <name>",
      summary: "in a cluster: this pod, which has what its ServiceAccount had when it was made",
    },
  ],
  async run(invocation) {
    const { args, options, terminal, context, cwd } = invocation;
    const { parsePlace, readConfigIfAny } = await import("#logins");
    const { createInventory, explainImage, readState } = await import("#delivery");
    const surroundings = surroundingsOf(invocation);
    const image = String(args["image"]);
    const config = await readConfigIfAny(surroundings, invocation.configFile);
    const answers = await explainImage(
      context,
      {
        inventory: createInventory(surroundings, cwd, config),
        config,
        ...(typeof options["at"] === "string"
          ? { at: parsePlace(options["at"], (folder) => resolve(cwd, folder)) }
          : {}),
        pod: podOf(options),
        records: config === undefined ? [] : (await readState(config.path)).records,
        fetch: options["offline"] === true ? undefined : await fetchOf(invocation),
        now: new Date(),
      },
      image,
    );
    if (invocation.json) terminal.out(`${JSON.stringify({ image, answers: answers.map(document) })}\n`);
    else if (answers.length === 0)
      terminal.err("no program that pulls images was found here, and wharf.yaml delivers to none\n");
    else {
      terminal.out(table(answers, terminal.color));
      for (const line of remarks(answers)) terminal.out(`${plainText(line)}\n`);
    }
    return 0;
  },
};

function podOf(options: Invocation["options"]): PodQuestion {
  const { namespace, serviceAccount, pod, at } = options;
  const isAsked = [namespace, serviceAccount, pod].some((value) => value !== undefined);
  if (isAsked && !(typeof at === "string" && at.startsWith("k8s://")))
    throw new AppError("USAGE", "--namespace, --service-account and --pod are for a cluster", {
      hint: "name it: --at k8s://CONTEXT",
    });
  return {
    ...(typeof namespace === "string" ? { namespace } : {}),
    ...(typeof serviceAccount === "string" ? { serviceAccount } : {}),
    ...(typeof pod === "string" ? { pod } : {}),
  };
}

function document(answer: WhyAnswer): unknown {
  const { pull } = answer;
  return {
    consumer: answer.consumer,
    place: answer.place,
    kind: answer.kind,
    file: answer.file ?? null,
    key: answer.key ?? null,
    login: answer.login ?? null,
    username: answer.username ?? null,
    shadowedBy: answer.shadowedBy ?? null,
    shadows: answer.shadows,
    covered: answer.covered,
    why: answer.why ?? null,
    expires: answer.expires?.toISOString() ?? null,
    expiry: answer.expiry,
    pull:
      pull === undefined
        ? null
        : {
            allowed: pull.allowed,
            status: pull.status,
            reason: pull.reason ?? null,
            message: pull.message ?? null,
          },
    error: errorDocument(answer.error),
    advice: answer.advice ?? null,
  };
}

function table(answers: readonly WhyAnswer[], color: boolean): string {
  return renderTable<WhyAnswer>(
    [
      {
        head: "PROGRAM",
        cell: programOf,
      },
      { head: "LOGIN", cell: loginWords },
      { head: "ENTRY", cell: ({ key }) => key },
      { head: "FILE", cell: ({ file }) => file },
      {
        head: "PULL",
        cell: pullWords,
        style: ({ pull }) => (pull === undefined ? undefined : pull.allowed ? "green" : "red"),
      },
      {
        head: "EXPIRES",
        cell: ({ expires }) => expires?.toISOString().slice(0, 10),
        style: ({ expiry }) =>
          expiry === "expired" ? "red" : expiry === "expires soon" ? "yellow" : undefined,
      },
    ],
    answers,
    color,
  );
}

function loginWords(answer: WhyAnswer): string {
  switch (answer.kind) {
    case "login":
      return answer.login === undefined
        ? `${answer.username} (not of wharf.yaml)`
        : `${answer.login} (${answer.username})`;
    case "helper":
      return "from a helper";
    case "anonymous":
      return "none";
    case "broken":
      return "broken";
  }
}

function pullWords(answer: WhyAnswer): string | undefined {
  const { pull } = answer;
  if (answer.error !== undefined) return "no answer";
  if (pull === undefined) return undefined;
  if (pull.allowed) return "allowed";
  if (pull.status === 404) return "not there (404)";
  return `refused${pull.status === 0 ? "" : ` (${pull.status})`}`;
}

function programOf({ consumer, place }: WhyAnswer): string {
  return place === "local" ? consumer : `${consumer} at ${place}`;
}

/** What is to be said of the answers, each thing once: the programs that it is true of, then the words. */
function remarks(answers: readonly WhyAnswer[]): readonly string[] {
  const programs = new Map<string, Set<string>>();
  for (const answer of answers)
    for (const line of notes(answer))
      programs.set(line, (programs.get(line) ?? new Set()).add(programOf(answer)));
  return [...programs].map(([line, of]) => `${[...of].join(", ")}: ${line}`);
}

function notes(answer: WhyAnswer): readonly string[] {
  const lines: string[] = [];
  if (answer.why !== undefined) lines.push(answer.why);
  if (answer.shadowedBy !== undefined) lines.push(`in the way: ${answer.shadowedBy}`);
  lines.push(...answer.shadows);
  if (answer.pull !== undefined && !answer.pull.allowed && answer.pull.message !== undefined)
    lines.push(`the registry says: ${answer.pull.message}`);
  if (answer.error !== undefined) lines.push(answer.error.message);
  if (answer.advice !== undefined) lines.push(`do: ${answer.advice}`);
  return lines;
}
