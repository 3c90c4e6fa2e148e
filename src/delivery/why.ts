import type { PullProbe } from "#client";
import type { Consumer, Target } from "#consumers";
import { type Context, isAppError } from "#core";
import { parseReference } from "#oci";
import type { Place } from "#places";
import { isChosen } from "./choose-places.ts";
import { programsOf, targetOf } from "./inventory.ts";
import { answerFrom, readPlace } from "./search-path.ts";
import { consumerNamed, placesOf, type TargetSpec, targetsOf } from "./targets.ts";
import type { Seen, WhyAnswer, WhyInput } from "./why-contract.ts";
import { describeAnswer, wantedLogin } from "./why-entry.ts";
import { readPod } from "./why-pod.ts";
import { askRegistry } from "./why-registry.ts";

/**
 * For each program here (installed, with a file, or delivered to): which entry it would use for the image, what is in the way, and what
 * the registry answers to that. Needs no vault: it looks at what the programs hold. Throws for an image name that is none.
 */
export async function explainImage(
  context: Context,
  input: WhyInput,
  image: string,
): Promise<readonly WhyAnswer[]> {
  const reference = parseReference(image);
  const wanted = wantedLogin(input.config, image);
  const { at } = input;
  const views =
    at?.kind === "k8s"
      ? [await readPod(context, { ...input, at }, image)]
      : await Promise.all(viewsOf(input).map((view) => readView(context, input, view, image)));
  const answers = views
    .filter((view) => view !== undefined)
    .map((view) => describeAnswer(input, view, { reference, wanted }));
  const probes = new Map<string, Promise<PullProbe>>();
  return await Promise.all(
    answers.map((answer) => askRegistry(context, input, { answer, reference, probes })),
  );
}

interface View {
  readonly consumer: string;
  readonly spec: TargetSpec;
  readonly delivered: boolean;
}

function viewsOf(input: WhyInput): readonly View[] {
  const { at } = input;
  const specs = input.config === undefined ? [] : targetsOf(input.config);
  const delivered = specs.filter(
    (spec) =>
      // Hosts far away are asked where somebody names them.
      (at === undefined ? spec.at.kind === "local" || spec.at.kind === "folder" : isChosen(spec.at, at)) &&
      input.inventory.consumers.some(({ name }) => name === spec.consumer),
  );
  const named = at === undefined ? [{ kind: "local", text: "local" } as const] : placesOf(at);
  // Under whatever name and user they are delivered to.
  const places = new Map(
    [
      ...named.filter((place) => !delivered.some((spec) => isChosen(spec.at, place))),
      ...delivered.map((spec) => spec.at),
    ]
      .filter((place) => isChosen(place, at ?? { kind: "local", text: "local" }))
      .map((place) => [place.text, place]),
  );
  const others = [...places.values()].flatMap((place) =>
    input.inventory.consumers
      .filter(
        ({ name }) =>
          !delivered.some(
            (spec) => spec.consumer === name && spec.at.text === place.text && spec.user === undefined,
          ),
      )
      .map(
        ({ name }): View => ({
          consumer: name,
          delivered: false,
          spec: { consumer: name, at: place, user: undefined, options: {}, logins: [] },
        }),
      ),
  );
  return [...delivered.map((spec) => ({ consumer: spec.consumer, spec, delivered: true })), ...others];
}

async function readView(
  context: Context,
  input: WhyInput,
  view: View,
  image: string,
): Promise<Seen | undefined> {
  const { spec, delivered } = view;
  try {
    const consumer = consumerNamed(input.inventory.consumers, view.consumer);
    const place = await input.inventory.openPlace(context, spec.at, spec.user);
    const target = await targetOf(context, place, consumer, spec.options);
    const opened = { consumer, place, target };
    const search = await readPlace(context, opened);
    const isThere = search.files.size > 0 || search.failure !== undefined;
    if (!delivered && !isThere && !(await isInstalled(context, place, consumer, target))) return undefined;
    const answer = answerFrom(opened, search, image);
    // It comes with every Docker engine, and its configuration too; only where that has a login does it count here.
    if (!delivered && consumer.name === "containerd" && answer.kind === "anonymous") return undefined;
    const failure = answer.kind === "broken" ? search.failure?.error : undefined;
    return { spec, delivered, answer, ...(failure === undefined ? {} : { failure }) };
  } catch (cause) {
    // One program's folder that may not be read is no reason to keep the others' answers back.
    if (!isAppError(cause) || cause.code === "INTERRUPTED") throw cause;
    return { spec, delivered, answer: { kind: "broken", file: "", why: cause.message }, failure: cause };
  }
}

async function isInstalled(
  context: Context,
  place: Place,
  consumer: Consumer,
  target: Target,
): Promise<boolean> {
  // kubectl alone says nothing of a Secret of ours.
  if (consumer.name === "kubernetes") return false;
  return target.version !== undefined || (await programsOf(context, place, consumer)).length > 0;
}
