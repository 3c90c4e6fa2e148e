/** One line of the conformance program's report. */
export interface ConformanceResult {
  readonly name: string;
  readonly status: "Pass" | "FAIL" | "Skip" | "Disabled" | "Error" | "Unknown";
  /** The program's own words; empty when it passed. */
  readonly words: string;
}

const line = /^\s*(OCI Conformance Test[^:]*(?:: [^:]*)?): (Pass|FAIL|Skip|Disabled|Error|Unknown)$/;

/**
 * Reads the tree that the program prints. (Its JUnit file cannot tell a test that the version leaves out, "Disabled",
 * from one that the registry could not do, "Skip".) Only leaves: a branch repeats what is below it.
 */
export function parseConformanceReport(text: string): ConformanceResult[] {
  const all: { name: string; status: ConformanceResult["status"]; words: string }[] = [];
  for (const row of text.slice(Math.max(0, text.indexOf("\nTest results\n"))).split("\n")) {
    const match = line.exec(row);
    if (match?.[1] !== undefined) {
      all.push({ name: match[1], status: match[2] as ConformanceResult["status"], words: "" });
    } else if (/^(API|Data) conformance:/.test(row)) {
      break;
    } else if (all.length > 0 && row.trim() !== "") {
      const last = all.at(-1);
      if (last !== undefined) last.words += `${row.trim()}\n`;
    }
  }
  return all.filter((entry) => !all.some((other) => other.name.startsWith(`${entry.name}/`)));
}
