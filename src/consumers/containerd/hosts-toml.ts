import type { FileDocument, Merged } from "../contract.ts";
import { readTomlText } from "../toml-text.ts";
import { mergeWholeFile, WHOLE_FILE } from "../whole-file.ts";
import { hostsPath } from "./paths.ts";

/** The file that tells containerd of a registry's CA. It never holds a login: containerd reads none there. */
export function hostsDocument(registry: string): FileDocument {
  const server = registry === "docker.io" ? "registry-1.docker.io" : registry;
  return {
    kind: "file",
    path: hostsPath(registry),
    mode: 0o644,
    folderMode: 0o755,
    entries: [],
    // Without a table of hosts, though it be empty, containerd 1 does not read the file.
    body: `# Written by wharf.\nserver = "https://${server}"\nca = "ca.crt"\n\n[host]\n`,
  };
}

export function isHostsFile(path: string): boolean {
  return path.endsWith("/hosts.toml");
}

/** Somebody's own file stays as it is: it may name mirrors, and a `ca` of its own. Ours is written, mended and removed whole. */
export function mergeHosts(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  const isOurs = current === undefined || owned.has(WHOLE_FILE) || document.body === undefined;
  const isSame = current !== undefined && Buffer.from(current).equals(Buffer.from(document.body ?? ""));
  if (isOurs || isSame) return mergeWholeFile(current, document, owned);
  const ca = document.path.replace(/hosts\.toml$/, "ca.crt");
  // Beside the file, so its name alone will do: containerd takes it from there.
  const isNamed = /(?:["'/])ca\.crt["']/.test(readTomlText(current, document.path));
  return {
    content: current,
    changes: [],
    warnings: isNamed
      ? []
      : [
          {
            kind: "danger",
            message: `${document.path} is somebody's own and does not name ${ca}, so containerd may not trust the registry`,
            hint: `put ca = "ca.crt" into it, above its first [host] table`,
          },
        ],
    refusals: [],
  };
}
