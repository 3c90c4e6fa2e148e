import { type Document, isMap, isScalar, type Pair, parseAllDocuments, type Scalar } from "yaml";
import { SECRET_TYPE } from "../kubernetes/secret-yaml.ts";
import { authFiles } from "./auth-file-faults.ts";
import type { Fault, Part, RuleFamily } from "./contract.ts";
import { labelFaults } from "./label-faults.ts";
import { lineAt } from "./line-at.ts";
import { isPlaceholder } from "./placeholder.ts";
import { recognisePart } from "./recognise-part.ts";

const KEY = ".dockerconfigjson";
/** Members of a person's config.json that nobody writes into a pull secret by hand. */
const PERSONAL = [
  "credsstore",
  "credhelpers",
  "httpheaders",
  "currentcontext",
  "detachkeys",
  "plugins",
  "psformat",
  "aliases",
];

/** Secrets in YAML (or JSON), one or several in a file. */
export const pullSecrets: RuleFamily = {
  kinds: ["secret"],
  find(given) {
    // Lines are mended; a Secret in JSON is read and left as it is.
    const part = given.text.trimStart().startsWith("{") ? { ...given, isWhole: false } : given;
    const documents = parseAllDocuments(part.text, { logLevel: "silent" });
    if (!Array.isArray(documents)) return [];
    return documents.flatMap((document) => {
      const [fault] = document.errors;
      if (fault !== undefined)
        return [
          {
            code: "WD014",
            line: part.line + (fault.linePos?.[0].line ?? 1) - 1,
            message: "this is not YAML",
            right: "the same depth for members of one mapping, by spaces",
          } as const,
        ];
      return document.get("kind") === "Secret" ? secretFaults(part, document) : [];
    });
  },
};

function secretFaults(part: Part, document: Document): readonly Fault[] {
  const value = scalarAt(document, ["data", KEY]);
  const clear = scalarAt(document, ["stringData", KEY]);
  return [
    ...labelFaults(part, document),
    ...(value === undefined && clear === undefined ? [] : typeFaults(part, document)),
    ...(value === undefined ? [] : encodedFaults(part, value)),
    ...(clear === undefined ? [] : innerFaults(part, clear, String(clear.value), undefined)),
    ...copyFaults(part, document),
  ];
}

function typeFaults(part: Part, document: Document): readonly Fault[] {
  const type = scalarAt(document, ["type"]);
  const found = type?.value;
  if (found === SECRET_TYPE) return [];
  const range = type?.range;
  const apply = (): string =>
    range === undefined || range === null
      ? `${part.text.replace(/\n*$/, "\n")}type: ${SECRET_TYPE}\n`
      : part.text.slice(0, range[0]) + SECRET_TYPE + part.text.slice(range[1]);
  const isSingle = parseAllDocuments(part.text).length === 1;
  return [
    {
      code: "WD023",
      line: lineAt(part, range?.[0]),
      message: `${found === undefined ? "there is no type" : `the type is ${JSON.stringify(found).slice(0, 60)}`}: the kubelet takes no login from it`,
      right: `type: ${SECRET_TYPE}`,
      ...(part.isWhole && (isSingle || type !== undefined)
        ? { mend: { says: `the type becomes ${SECRET_TYPE}`, apply } }
        : {}),
    },
  ];
}

function encodedFaults(part: Part, node: Scalar): readonly Fault[] {
  const written = String(node.value);
  if (isPlaceholder(written) || /\s\S*[<>]|PASTE/.test(written)) return [];
  const line = lineAt(part, node.range?.[0]);
  const compact = written.replace(/\s+/g, "");
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(compact) && compact.length % 4 === 0;
  if (!isBase64)
    return [
      {
        code: "WD022",
        line,
        message: `${KEY} is not base64${compact.startsWith("{") ? ": under data it must be, under stringData it may stand in clear" : ""}`,
        right: "base64 of the JSON on one line, or the JSON itself under stringData",
      },
    ];
  // Go's decoder passes line ends over, as in a `|` block; blanks, which a folded value has in their place, it does not.
  const isBroken = /[ \t]/.test(written.trim());
  const json = Buffer.from(compact, "base64").toString("utf8");
  const inner = innerFaults(part, node, json, (text) => Buffer.from(text, "utf8").toString("base64"));
  if (!isBroken) return inner;
  return [
    {
      code: "WD020",
      line,
      message: `${KEY} is broken into lines, which YAML makes blanks of: the API server refuses it`,
      right: "one line (base64 -w0)",
      ...(part.isWhole
        ? { mend: { says: `${KEY} on one line`, apply: () => withScalar(part, node, compact) } }
        : {}),
    },
    ...inner,
  ];
}

/** The JSON inside, by the rules of such files, with the kubelet as its reader. */
function innerFaults(
  part: Part,
  node: Scalar,
  json: string,
  encode: ((text: string) => string) | undefined,
): readonly Fault[] {
  const kind = recognisePart(json);
  const line = lineAt(part, node.range?.[0]);
  if (kind !== "auth-json" && kind !== "bare-auths" && kind !== "broken-json")
    return [
      {
        code: "WD022",
        line,
        message: `${KEY} decodes to something that holds no login`,
        right: '{"auths": {"host[:port]": {"auth": …}}}',
      },
    ];
  const inner: Part = {
    ...part,
    kind,
    text: json,
    reader: "kubelet",
    line: 1,
    path: `${part.path} (${KEY})`,
  };
  const faults = authFiles.find(inner).map((fault): Fault => {
    const { mend, ...rest } = fault;
    const isMendable = mend !== undefined && part.isWhole && encode !== undefined;
    return {
      ...rest,
      line,
      ...(isMendable
        ? { mend: { says: mend.says, apply: () => withScalar(part, node, encode(mend.apply())) } }
        : {}),
    };
  });
  return [...faults, ...personalFaults(kind === "auth-json" ? json : "{}", line)];
}

function personalFaults(json: string, line: number): readonly Fault[] {
  const root = JSON.parse(json) as Record<string, unknown>;
  const found = Object.keys(root).filter((key) => PERSONAL.includes(key.toLowerCase()));
  if (found.length === 0) return [];
  const auths = root["auths"];
  const hosts = typeof auths === "object" && auths !== null ? Object.keys(auths) : [];
  return [
    {
      code: "WD024",
      line,
      message: `this is a whole config.json (${found.join(", ")} with it)${hosts.length > 1 ? `: it gives the namespace ${hosts.join(", ")}` : ""}`,
      right: "a Secret with the logins that are meant for it, and auths alone",
      command: "wharf render kubernetes",
    },
  ];
}

function copyFaults(part: Part, document: Document): readonly Fault[] {
  const name = "kubectl.kubernetes.io/last-applied-configuration";
  const node = scalarAt(document, ["metadata", "annotations", name]);
  if (node === undefined || !String(node.value).includes(KEY)) return [];
  return [
    {
      code: "WD026",
      line: lineAt(part, node.range?.[0]),
      message: `the annotation ${name} holds a copy of the secret`,
      right: "the annotation removed; kubectl apply --server-side writes none",
    },
  ];
}

function withScalar(part: Part, node: Scalar, value: string): string {
  const [start, end] = node.range ?? [0, 0];
  const isBlock = /^[|>]/.test(part.text.slice(start, start + 1));
  const quote = /^["']/.exec(part.text.slice(start, start + 1))?.[0] ?? "";
  return `${part.text.slice(0, start)}${quote}${value}${quote}${isBlock ? "\n" : ""}${part.text.slice(end)}`;
}

function scalarAt(document: Document, path: readonly string[]): Scalar | undefined {
  let node: unknown = document.contents;
  for (const key of path) {
    const pair: Pair | undefined = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    node = pair?.value;
  }
  return isScalar(node) && node.value !== null ? node : undefined;
}
