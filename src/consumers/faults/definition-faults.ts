import type { Fault, Part, RuleFamily } from "./contract.ts";
import { isPlaceholder } from "./placeholder.ts";

interface Header {
  readonly name: string;
  readonly value: string;
  /** Index of its line in the part. */
  readonly index: number;
}

/** Headers of Apptainer's and SingularityCE's definition files: those of Singularity 2.x stop a build. */
export const definitionFiles: RuleFamily = {
  kinds: ["definition"],
  find(part) {
    const headers = parseHeaders(part.text);
    const login = headers.filter(({ name }) => name === "username" || name === "password");
    const [first] = login;
    const faults: Fault[] = [];
    if (first !== undefined) faults.push(loginFault(part, headers, first));
    const bootstrap = headers.find(({ name }) => name === "bootstrap");
    const froms = headers.filter(({ name }) => name === "from");
    const asAgent = froms.find(({ value }) => value.toLowerCase() === "docker");
    if (bootstrap === undefined)
      faults.push(bootstrapFault(part, asAgent ?? froms[0], asAgent !== undefined));
    return faults;
  },
};

/** The lines `Word: value` before the first section. */
export function parseHeaders(text: string): readonly Header[] {
  const headers: Header[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*%/.test(line)) break;
    const found = /^\s*([A-Za-z]+)\s*:\s*(.*?)\s*$/.exec(line);
    if (found !== null) headers.push({ name: (found[1] ?? "").toLowerCase(), value: found[2] ?? "", index });
  }
  return headers;
}

/** The registry that such a file pulls from, as far as it says. */
export function definitionRegistry(headers: readonly Header[]): string {
  const value = (name: string): string | undefined =>
    headers.findLast((header) => header.name === name)?.value;
  const host = value("registry")
    ?.replace(/^https?:\/\//, "")
    .replace(/\/.*$/, "");
  if (host !== undefined && host !== "") return host;
  const first = value("from")?.split("/")[0] ?? "";
  return /[.:]/.test(first) ? first : "docker.io";
}

function loginFault(part: Part, headers: readonly Header[], first: Header): Fault {
  const gone = headers.filter(({ name }) => name === "username" || name === "password");
  const password = gone.find(({ name }) => name === "password")?.value ?? "";
  const username = gone.find(({ name }) => name === "username")?.value ?? "";
  const registry = definitionRegistry(headers);
  const host = isPlaceholder(registry) ? "REGISTRY" : registry;
  const user = isPlaceholder(username) ? "USER" : username;
  const indexes = gone.map(({ index }) => index);
  return {
    code: "WD040",
    line: part.line + first.index,
    message: `${gone.map(({ name }) => (name === "username" ? "Username:" : "Password:")).join(" and ")} are headers of Singularity 2.x; Apptainer and SingularityCE stop with "invalid header keyword found"`,
    right: "no such header: the login belongs into docker-config.json",
    command: isPlaceholder(password)
      ? `wharf login ${host} -u ${quote(user)}`
      : `wharf import ${quote(part.path)}`,
    // A real secret in the file may be the only copy: a person imports it first.
    ...(part.isWhole && isPlaceholder(password)
      ? {
          mend: {
            says: "the headers Username: and Password: go",
            apply: () =>
              part.text
                .split("\n")
                .filter((_, index) => !indexes.includes(index))
                .join("\n"),
          },
        }
      : {}),
  };
}

function bootstrapFault(part: Part, from: Header | undefined, isAgent: boolean): Fault {
  const line = part.line + (from?.index ?? 0);
  const lines = part.text.split("\n");
  return {
    code: "WD041",
    line,
    message: isAgent
      ? "From: Docker names no image, and no Bootstrap: says where to pull from"
      : "no Bootstrap: says where to pull from",
    right: "Bootstrap: docker, and From: namespace/image:tag",
    ...(part.isWhole && from !== undefined
      ? {
          mend: {
            says: isAgent
              ? "From: Docker becomes Bootstrap: docker"
              : "Bootstrap: docker is added before From:",
            apply: () =>
              (isAgent
                ? lines.map((text, index) => (index === from.index ? "Bootstrap: docker" : text))
                : lines.toSpliced(from.index, 0, "Bootstrap: docker")
              ).join("\n"),
          },
        }
      : {}),
  };
}

function quote(text: string): string {
  return /^[A-Za-z0-9._/@:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
