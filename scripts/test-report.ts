/** What a run of `bun test` counted. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failedNames: readonly string[];
  readonly skippedNames: readonly string[];
}

/** Counts the test cases of bun's JUnit report: one element each, with a `failure`, `error` or `skipped` child. */
export function parseTestReport(xml: string): TestCounts {
  let passed = 0;
  const failedNames: string[] = [];
  const skippedNames: string[] = [];
  for (const match of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const attributes = match[1] ?? "";
    const body = match[2] ?? "";
    const name = `${attribute(attributes, "file")}: ${attribute(attributes, "name")}`;
    if (/<(?:failure|error)\b/.test(body)) failedNames.push(name);
    else if (/<skipped\b/.test(body)) skippedNames.push(name);
    else passed += 1;
  }
  return { passed, failed: failedNames.length, skipped: skippedNames.length, failedNames, skippedNames };
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

/** One line for each reason, with how many tests and which files: `SKIPPED 3: needs podman (test/clients/clients.test.ts)`. */
export function renderSkips(skippedNames: readonly string[]): string[] {
  const groups = new Map<string, { count: number; files: Set<string> }>();
  for (const name of skippedNames) {
    const reason = /\[skipped: ([^\]]*)\]$/.exec(name)?.[1] ?? `no reason given: ${name}`;
    const group = groups.get(reason) ?? { count: 0, files: new Set() };
    group.count += 1;
    group.files.add(name.split(": ", 1)[0] ?? "");
    groups.set(reason, group);
  }
  return [...groups].map(
    ([reason, { count, files }]) => `SKIPPED ${count}: ${reason} (${[...files].join(", ")})`,
  );
}
