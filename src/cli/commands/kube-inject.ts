import { resolve } from "node:path";
import type { InjectedPod } from "#consumers/kubernetes";
import { AppError } from "#core";
import type { Command, Invocation } from "../command.ts";
import { surroundingsOf } from "../delivery-surroundings.ts";

/** A manifest is small; what is larger is something else. */
const MAX_BYTES = 4 * 1024 * 1024;

export const kubeInject: Command = {
  path: ["kube", "inject"],
  doing: "putting the pull secret in",
  summary: "put the pull secret into your own Pod, Job or template",
  description:
    "Reads a manifest (YAML with any number of documents, or JSON) and puts the Secret's name into imagePullSecrets of every pod and template of pods: Pod, Job, CronJob, Deployment, StatefulSet, DaemonSet, Lists, and custom kinds with such a template. Comments, generateName, labels and formatting stay; a list that is there is added to; a second run changes nothing. The names are those of --image-pull-secret, else of the deliveries to kubernetes in wharf.yaml that reach the object's namespace. No cluster is asked and no vault opened. A pod with a list of its own no longer gets its ServiceAccount's, which is said. Kubernetes does not change the list of a pod or of a Job that exists: delete and create it.",
  examples: [
    { command: "wharf kube inject -f job.yaml | kubectl create -f -", says: "for one run" },
    { command: "wharf kube inject -f job.yaml --image-pull-secret regcred --in-place", says: "in the file" },
    { command: "helm template app | wharf kube inject -f -", says: "what another program prints" },
  ],
  options: [
    { flag: "-f, --file <file>", summary: "the manifest; - for standard input" },
    {
      flag: "--image-pull-secret <name>",
      summary: "name of the Secret; wharf.yaml's where it is not said",
      repeatable: true,
    },
    { flag: "-o, --output <file>", summary: "write there; standard output where nothing is said" },
    { flag: "--in-place", summary: "write into the manifest itself" },
  ],
  async run(invocation) {
    const { terminal, options, cwd, json } = invocation;
    const { injectPullSecrets } = await import("#consumers/kubernetes");
    const { fileMode, readTextLimited, realPath, writeFileDurable } = await import("#system");
    const { named, target } = outputOf(invocation);
    const path = named === "-" ? "standard input" : resolve(cwd, named);
    const text =
      named === "-"
        ? new TextDecoder().decode(await terminal.readIn(MAX_BYTES))
        : await readTextLimited(path, MAX_BYTES);
    if (text === undefined) throw new AppError("NOT_FOUND", `there is no ${path}`);
    const namesFor = await namesOf(invocation);
    const injected = injectPullSecrets(text, path, ({ namespace }) => namesFor(namespace));
    if (target !== undefined && !(target === path && injected.text === text)) {
      const file = await realPath(target);
      await writeFileDurable(file, injected.text, { mode: (await fileMode(file)) ?? 0o644 });
    }
    for (const line of notesOf(injected.pods)) terminal.err(`${line}\n`);
    if (json)
      terminal.out(
        `${JSON.stringify({
          file: path,
          output: target ?? null,
          changed: injected.text !== text,
          pods: injected.pods,
          ...(target === undefined ? { content: injected.text } : {}),
        })}\n`,
      );
    else if (target === undefined) terminal.out(injected.text);
    else for (const pod of injected.pods) terminal.out(`${describe(pod)}\n`);
    return options["imagePullSecret"] === undefined && injected.pods.some(hasNone) ? 3 : 0;
  },
};

function outputOf({ options, cwd }: Invocation): {
  readonly named: string;
  readonly target: string | undefined;
} {
  const { file, output, inPlace } = options;
  if (typeof file !== "string")
    throw new AppError("USAGE", "which manifest is not said", { hint: "name it: -f job.yaml, or -f -" });
  if (inPlace === true && (output !== undefined || file === "-"))
    throw new AppError("USAGE", "--in-place is for a file that is named by -f, without -o");
  if (inPlace === true) return { named: file, target: resolve(cwd, file) };
  return { named: file, target: typeof output === "string" ? resolve(cwd, output) : undefined };
}

/** Names for a namespace: those of the command line, else wharf.yaml's. Throws USAGE where neither has one. */
async function namesOf(
  invocation: Invocation,
): Promise<(namespace: string | undefined) => readonly string[]> {
  const said = invocation.options["imagePullSecret"];
  if (Array.isArray(said) && said.length > 0) {
    const { isSecretName } = await import("#consumers/kubernetes");
    const names = said.map(String);
    const wrong = names.find((name) => !isSecretName(name));
    if (wrong === undefined) return () => names;
    throw new AppError("USAGE", `${JSON.stringify(wrong.slice(0, 80))} is no name of a Secret`, {
      hint: "use lower-case letters, digits, '-' and '.'",
    });
  }
  const { readConfig } = await import("#logins");
  const { deliveredPullSecrets, pullSecretsFor } = await import("#delivery");
  const secrets = deliveredPullSecrets(await readConfig(surroundingsOf(invocation), invocation.configFile));
  if (secrets.length > 0) return (namespace) => pullSecretsFor(secrets, namespace);
  throw new AppError("USAGE", "wharf.yaml delivers no pull secret to kubernetes", {
    hint: "name the Secret: --image-pull-secret regcred",
  });
}

function hasNone(pod: InjectedPod): boolean {
  return pod.added.length === 0 && pod.kept.length === 0;
}

function notesOf(pods: readonly InjectedPod[]): readonly string[] {
  if (pods.length === 0) return ["warning: there is no pod and no template of pods in it"];
  const left = pods.filter(hasNone);
  const first = pods.some(({ added, kept }) => added.length > 0 && kept.length === 0);
  return [
    ...left.map(
      (pod) =>
        `warning: ${nameOf(pod)}: wharf.yaml delivers no pull secret to namespace ${pod.namespace ?? "?"}; nothing was put in`,
    ),
    ...(first
      ? ["note: a pod with a list of its own no longer gets the pull secrets of its ServiceAccount"]
      : []),
  ];
}

function describe(pod: InjectedPod): string {
  if (pod.added.length > 0) return `${nameOf(pod)}: put in ${pod.added.join(", ")}`;
  return hasNone(pod) ? `${nameOf(pod)}: left as it is` : `${nameOf(pod)}: has it already`;
}

function nameOf({ kind, name, line }: InjectedPod): string {
  return `${kind}${name === "" ? "" : ` ${name}`} (line ${line})`;
}
