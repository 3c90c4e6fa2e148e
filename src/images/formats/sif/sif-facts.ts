import { parseReference, renderReference } from "#oci";
import type { ImageView } from "../../contract.ts";
import { createdSeconds } from "../../created-seconds.ts";
import { renderEnvironment } from "./render-environment.ts";
import { renderRunscript } from "./render-runscript.ts";
import { environmentScripts, START_SCRIPT } from "./runtime-scripts.ts";

/** What a SIF says of its image: in its own objects, and again in files of the root file system. */
export interface SifFacts {
  readonly definition: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly environment: string;
  readonly runscript: string;
  /** What `apptainer inspect` shows. */
  readonly metadata: string;
  /** The `config` of the image's config, everything in it. */
  readonly ociConfig: string;
}

export function createSifFacts(view: ImageView): SifFacts {
  const { bootstrap, from } = splitName(view.name);
  const definition = `bootstrap: ${bootstrap}\nfrom: ${from}\n\n`;
  const labels = createLabels(view, { bootstrap, from });
  const environment = renderEnvironment(view.config.env);
  const runscript = renderRunscript(view.config);
  const metadata = {
    data: {
      attributes: {
        deffile: definition,
        environment: {
          "/.singularity.d/env/10-docker2singularity.sh": environment.trimEnd(),
          "/.singularity.d/env/90-environment.sh": environmentScripts["90-environment.sh"].trimEnd(),
        },
        labels,
        runscript,
        startscript: START_SCRIPT,
      },
    },
    type: "container",
  };
  return {
    definition,
    labels,
    environment,
    runscript,
    metadata: JSON.stringify(metadata),
    ociConfig: JSON.stringify(readRunConfig(view.config.bytes)),
  };
}

/** As a definition file has it. A name without a kind is one of a registry; line breaks would begin another header. */
function splitName(name: string): { readonly bootstrap: string; readonly from: string } {
  const [, kind = "docker", rest = name] = /^([a-z-]+):(?:\/\/)?(.+)$/s.exec(name) ?? [];
  const isKind = /^(?:docker|docker-archive|docker-daemon|oci|oci-archive|oras)$/.test(kind);
  const bootstrap = isKind ? kind : "docker";
  const written = isKind ? rest : name;
  // Enroot's form, which may name a user, is no other program's.
  const from =
    bootstrap === "docker" && written.includes("#") ? renderReference(parseReference(written)) : written;
  return { bootstrap, from: from.replaceAll(/[\r\n]+/g, " ") };
}

/** The image's own labels, and where it comes from; sorted. The image's own win, but for what this file alone can know. */
function createLabels(
  { config, manifest }: ImageView,
  { bootstrap, from }: { readonly bootstrap: string; readonly from: string },
): Readonly<Record<string, string>> {
  const made = createdSeconds(config);
  const labels = new Map<string, string>();
  if (made > 0) {
    labels.set("org.label-schema.build-date", renderBuildDate(made));
    labels.set("org.opencontainers.image.created", config.created ?? "");
  }
  labels.set("org.opencontainers.image.base.name", from);
  labels.set("org.opencontainers.image.base.digest", manifest.descriptor.digest);
  for (const [key, value] of Object.entries(config.labels)) labels.set(key, value);
  labels.set("org.label-schema.schema-version", "1.0");
  if (config.platform.architecture !== "")
    labels.set("org.label-schema.build-arch", config.platform.architecture);
  labels.set("org.label-schema.usage.singularity.deffile.bootstrap", bootstrap);
  labels.set("org.label-schema.usage.singularity.deffile.from", from);
  return Object.fromEntries([...labels].sort(([left], [right]) => (left < right ? -1 : 1)));
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** Apptainer's form of it: words joined by underscores, numbers as they are. */
function renderBuildDate(seconds: number): string {
  const date = new Date(seconds * 1000);
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].join(":");
  const day = [DAYS[date.getUTCDay()], date.getUTCDate(), MONTHS[date.getUTCMonth()], date.getUTCFullYear()];
  return [...day, time, "UTC"].join("_");
}

/** The bytes were read as an image's config already: they are a JSON object. */
function readRunConfig(bytes: Uint8Array): unknown {
  const whole = JSON.parse(new TextDecoder().decode(bytes)) as { readonly config?: unknown };
  return whole.config ?? {};
}
