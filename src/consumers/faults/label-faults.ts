import { type Document, isMap, isScalar, type Pair } from "yaml";
import type { Fault, Part } from "./contract.ts";
import { lineAt } from "./line-at.ts";

/** What metadata may hold: everything else beside an empty `labels:` was meant to be below it. */
const METADATA = new Set([
  "name",
  "namespace",
  "labels",
  "annotations",
  "generateName",
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "generation",
  "managedFields",
  "ownerReferences",
  "finalizers",
  "selfLink",
]);

const OLD = "runai/cluster-wide";
const NEW = ["run.ai/cluster-wide", "run.ai/resource"] as const;

/** Labels of a Secret: lost by their indentation, or of an old Run:ai. */
export function labelFaults(part: Part, document: Document): readonly Fault[] {
  const metadata = pairOf(document.contents, "metadata")?.value;
  const labels = pairOf(metadata, "labels");
  const strays = isMap(metadata) && isNothing(labels?.value) ? metadata.items.filter(isStray) : [];
  const lost = labels === undefined || strays.length === 0 ? [] : [lostFault(part, strays)];
  const own = [...(isMap(labels?.value) ? labels.value.items : []), ...strays];
  const old = own.find((pair) => keyOf(pair) === OLD);
  const hasNew = NEW.every((name) => own.some((pair) => keyOf(pair) === name));
  const untexted = own.filter(isNoText).map((pair) => textFault(part, pair));
  return [...untexted, ...lost, ...(old === undefined || hasNew ? [] : [oldFault(part, old, own)])];
}

function lostFault(part: Part, strays: readonly Pair[]): Fault {
  const names = strays.map(keyOf).join(", ");
  const lines = strays.map((pair) => lineAt(part, startOf(pair)) - part.line);
  return {
    code: "WD021",
    line: lineAt(part, startOf(strays[0])),
    message: `${names} stands beside labels:, not below it: the Secret has no label`,
    right: "the line deeper than labels: by two spaces",
    ...(part.isWhole
      ? {
          mend: {
            says: `${names} two spaces deeper, below labels:`,
            apply: () =>
              part.text
                .split("\n")
                .map((line, index) => (lines.includes(index) ? `  ${line}` : line))
                .join("\n"),
          },
        }
      : {}),
  };
}

/** A label that YAML takes for a truth or a number. */
function isNoText({ value }: Pair): boolean {
  return isScalar(value) && value.value !== null && typeof value.value !== "string";
}

function textFault(part: Part, pair: Pair): Fault {
  const [start, end] = isScalar(pair.value) && pair.value.range ? pair.value.range : [0, 0];
  const written = part.text.slice(start, end);
  return {
    code: "WD028",
    line: lineAt(part, start),
    message: `${keyOf(pair)}: ${written} is no text, and the API server refuses it as a label`,
    right: `"${written}"`,
    ...(part.isWhole
      ? {
          mend: {
            says: `${keyOf(pair)}: "${written}" in quotes`,
            apply: () => `${part.text.slice(0, start)}"${written}"${part.text.slice(end)}`,
          },
        }
      : {}),
  };
}

/** Both generations may stand: an old cluster looks for its own. */
function oldFault(part: Part, old: Pair, all: readonly Pair[]): Fault {
  const missing = NEW.filter((name) => !all.some((pair) => keyOf(pair) === name));
  const at = startOf(old) ?? 0;
  const begin = part.text.lastIndexOf("\n", at - 1) + 1;
  const indent = part.text.slice(begin, at);
  const added = missing
    .map((name) => `${indent}${name}: "${name.endsWith("resource") ? "docker-registry" : "true"}"\n`)
    .join("");
  return {
    code: "WD025",
    line: lineAt(part, at),
    message: `${OLD} is the label of old Run:ai versions; newer ones do not look for it`,
    right: `${NEW[0]}: "true" and ${NEW[1]}: "docker-registry"; the old one may stay beside them`,
    ...(part.isWhole && /^[ \t]*$/.test(indent)
      ? {
          mend: {
            says: `${missing.join(" and ")} beside ${OLD}`,
            apply: () => part.text.slice(0, begin) + added + part.text.slice(begin),
          },
        }
      : {}),
  };
}

function isStray(pair: Pair): boolean {
  return !METADATA.has(keyOf(pair)) && !isMap(pair.value);
}

function pairOf(node: unknown, key: string): Pair | undefined {
  return isMap(node) ? node.items.find((pair) => keyOf(pair) === key) : undefined;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : "";
}

function startOf(pair: Pair | undefined): number | undefined {
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}
