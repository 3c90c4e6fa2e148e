import { quoteShell } from "#core";
import { DOCKER_HUB, parseReference } from "#oci";
import type { ImageView } from "../../contract.ts";
import { parseVariable, renderExports } from "../shell-variables.ts";

/**
 * /etc/rc, which Enroot runs with the image's own /bin/sh: into the working directory, then ENTRYPOINT and CMD as Docker has them, arguments in the
 * place of CMD. Labels and where the image is from stand in comments before it.
 */
export function renderRc({ name, config }: ImageView): string {
  const first = config.entrypoint ?? [];
  const rest = config.command ?? [];
  const whole = first.length + rest.length === 0 ? ["/bin/sh"] : [...first, ...rest];
  const labels = Object.entries(config.labels).sort(([left], [right]) => (left < right ? -1 : 1));
  const folder = quoteShell(config.workingDirectory === "" ? "/" : config.workingDirectory);
  return [
    `# enroot-provenance: ${oneLine(renderProvenance(name))}`,
    ...labels.map(([key, value]) => `# ${oneLine(key)} ${oneLine(value)}`),
    "",
    // /etc/environment has a variable on each line: these have no room there.
    ...renderExports(config.env.filter((pair) => pair.includes("\n")).map(parseVariable)),
    `mkdir -p -- ${folder} 2>/dev/null`,
    `cd -- ${folder} && unset OLDPWD || exit 1`,
    "if [ -s /etc/rc.local ]; then . /etc/rc.local; fi",
    "",
    'if [ "$#" -gt 0 ]; then',
    `  exec ${[...first.map(quoteShell), '"$@"'].join(" ")}`,
    "else",
    `  exec ${whole.map(quoteShell).join(" ")}`,
    "fi",
    "",
  ].join("\n");
}

/** Enroot's own spelling of an image of a registry, without a username; any other stays as it was asked for. */
function renderProvenance(name: string): string {
  if (!name.startsWith("docker://")) return name;
  const { registry, repository, tag = "latest", digest } = parseReference(name);
  const host = registry === DOCKER_HUB ? "registry-1.docker.io" : registry;
  return `docker://${host}#${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ");
}
