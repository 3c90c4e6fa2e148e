import type { ExaminedFile, Part, PartKind, Reader } from "./contract.ts";
import { recognisePart } from "./recognise-part.ts";
import { splitDocument } from "./split-document.ts";

/** Larger files are no login files, scripts or pages; nothing is found in them. */
export const MAX_EXAMINED_BYTES = 4 * 1024 * 1024;

/** Names of pages whose prose is not run by anybody: commands count in their code blocks. */
const PAGE = /\.(?:md|markdown|rst|adoc|txt|html?)$/i;

/**
 * What a file is made of: itself, and the code blocks of a page. Undefined for what is no text, or too large. A page with blocks is a
 * `document`, whose blocks are parts of their own; a text without any is a script.
 */
export function partsOf(file: ExaminedFile): readonly Part[] | undefined {
  const text = decode(file.bytes);
  if (text === undefined) return undefined;
  const reader = file.reader ?? readerByName(file.path);
  const part = (kind: PartKind, block: string, line: number, isWhole: boolean): Part => ({
    kind,
    text: block,
    path: file.path,
    line,
    isWhole,
    reader,
    curl: file.curl,
    now: file.now,
  });
  const hasBlocks = /^[ \t]*(?:```|~~~)/m.test(text) || /::[ \t]*\n[ \t]*\n[ \t]+\S/.test(text);
  const kind = hasBlocks ? "document" : recognisePart(text);
  if (kind !== "document") return [part(kind, text, 1, true)];
  const isPage = hasBlocks || PAGE.test(file.path);
  if (!isPage) return [part("shell", text, 1, true)];
  return [
    part("document", text, 1, true),
    ...splitDocument(text).map((block) => {
      const found = recognisePart(block.text);
      return part(found === "document" ? "shell" : found, block.text, block.line, false);
    }),
  ];
}

function decode(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_EXAMINED_BYTES || bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function readerByName(path: string): Reader {
  if (/(?:^|\/)auth\.json$/.test(path)) return "podman";
  if (/(?:^|\/)kubelet\/config\.json$/.test(path)) return "kubelet";
  if (/(?:^|\/)docker-config\.json$/.test(path)) return "apptainer";
  return "docker";
}
