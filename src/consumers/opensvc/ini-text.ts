import { AppError } from "#core";

const MAX_BYTES = 1024 * 1024;

/** A keyword in a section of a service's configuration. */
export interface IniSpot {
  readonly section: string;
  readonly keyword: string;
}

/** Text of an ini file. Throws FILE_INVALID when it is not UTF-8 or too long for a configuration. */
export function readIniText(bytes: Uint8Array, file: string): string {
  if (bytes.length > MAX_BYTES) throw invalid(file, `it is larger than ${MAX_BYTES} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid(file, "it is not UTF-8 text", cause);
  }
}

/** The value of a keyword; undefined where the section or the keyword is not there. Throws FILE_INVALID as `setIni`. */
export function iniValue(text: string, spot: IniSpot, file: string): string | undefined {
  return findSpot(text, spot, file).found?.value;
}

/** Keywords of a section, in order, as they are written; none where it is not there. */
export function iniKeywords(text: string, section: string, file: string): readonly string[] {
  return findSection(parseLines(text, file), section)?.items.map(({ keyword }) => keyword) ?? [];
}

/**
 * Sets a keyword and leaves every other byte. `DEFAULT` is made where it is missing, another section must be there. Throws FILE_INVALID
 * for what OpenSVC would not read one way: a line that is neither section, keyword nor comment; a section or keyword twice.
 */
export function setIni(text: string, spot: IniSpot, value: string, file: string): string {
  const { section, found } = findSpot(text, spot, file);
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  if (found !== undefined)
    return `${text.slice(0, found.start)}${spot.keyword} = ${value}${text.slice(found.end)}`;
  if (section === undefined) {
    if (spot.section !== "DEFAULT") throw invalid(file, `it has no section [${spot.section}]`);
    return `[DEFAULT]${eol}${spot.keyword} = ${value}${eol}${text === "" ? "" : eol}${text}`;
  }
  const line = `${spot.keyword} = ${value}`;
  const at = section.end;
  const rest = text.slice(at);
  return rest === "" ? `${text}${eol}${line}` : `${text.slice(0, at)}${eol}${line}${rest}`;
}

/** Takes a keyword out; the same text where it is not there. Throws as `setIni`. */
export function removeIni(text: string, spot: IniSpot, file: string): string {
  const { found } = findSpot(text, spot, file);
  if (found === undefined) return text;
  const after = /^\r?\n/.exec(text.slice(found.end))?.[0].length ?? 0;
  if (after > 0) return text.slice(0, found.start) + text.slice(found.end + after);
  return text.slice(0, found.start).replace(/\r?\n$/, "");
}

interface Item {
  readonly keyword: string;
  readonly value: string;
  readonly start: number;
  /** Behind its last line, the line's end not counted. */
  readonly end: number;
}

interface Section {
  readonly name: string;
  readonly items: readonly Item[];
  /** Behind its last line that says something. */
  readonly end: number;
}

function findSpot(
  text: string,
  spot: IniSpot,
  file: string,
): { readonly section: Section | undefined; readonly found: Item | undefined } {
  const section = findSection(parseLines(text, file), spot.section);
  return { section, found: section?.items.find(({ keyword }) => keyword === spot.keyword) };
}

function findSection(sections: readonly Section[], name: string): Section | undefined {
  return sections.find((section) => section.name === name);
}

function parseLines(text: string, file: string): readonly Section[] {
  const sections: { name: string; items: Item[]; end: number }[] = [];
  let offset = 0;
  for (const [index, line] of text.split("\n").entries()) {
    const start = offset;
    offset += line.length + 1;
    const bare = line.endsWith("\r") ? line.slice(0, -1) : line;
    const end = start + bare.length;
    if (/^\s*(?:[#;].*)?$/.test(bare)) continue;
    const where = `${file}:${index + 1}`;
    const section = sections.at(-1);
    const header = /^\[([^\]]+)\]\s*$/.exec(bare)?.[1];
    if (header !== undefined) {
      if (findSection(sections, header) !== undefined) throw invalid(where, `[${header}] is there twice`);
      sections.push({ name: header, items: [], end });
      continue;
    }
    if (section === undefined) throw invalid(where, "it stands before the first section");
    section.end = end;
    const last = section.items.at(-1);
    if (/^\s/.test(bare)) {
      // A line that is indented goes on with the value above.
      if (last === undefined) throw invalid(where, "it is no keyword");
      section.items[section.items.length - 1] = { ...last, value: `${last.value}\n${bare.trim()}`, end };
      continue;
    }
    const [, keyword, value = ""] = /^([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(bare) ?? [];
    if (keyword === undefined) throw invalid(where, "it is no keyword");
    if (section.items.some((item) => item.keyword === keyword))
      throw invalid(where, `${keyword} is there twice in [${section.name}]`);
    section.items.push({ keyword, value, start, end });
  }
  return sections;
}

function invalid(where: string, why: string, cause?: unknown): AppError {
  return new AppError("FILE_INVALID", `${where}: ${why}`, {
    hint: "mend the file; wharf left it as it is",
    ...(cause === undefined ? {} : { cause }),
  });
}
