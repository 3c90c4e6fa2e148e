/** `npm test [-- --install-tools] [filters]`: every test, loud skips, and one plain closing line of counts. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPrograms } from "./install-programs.ts";
import { parseTestReport, renderSkips } from "./test-report.ts";

const args = process.argv.slice(2);
const filters = args.filter((arg) => arg !== "--install-tools");
if (process.env.CI === "true" || args.includes("--install-tools")) await installPrograms();

const folder = mkdtempSync(join(tmpdir(), "wharf-test-"));
const report = join(folder, "report.xml");
// Busy machines are slow, not wrong: a test that hangs is found all the same.
const command = [
  process.execPath,
  "test",
  "--timeout=60000",
  "--reporter=junit",
  `--reporter-outfile=${report}`,
];
const child = Bun.spawn([...command, ...filters], { stdio: ["ignore", "inherit", "inherit"] });
const code = await child.exited;
const xml = existsSync(report) ? readFileSync(report, "utf8") : "";
rmSync(folder, { recursive: true, force: true });

const counts = parseTestReport(xml);
// A file that does not load, or a fault outside a test, is in no test case of the report.
const outside = code !== 0 && counts.failed === 0 ? 1 : 0;
for (const line of renderSkips(counts.skippedNames)) console.log(line);
if (counts.skipped > 0) console.log("npm test -- --install-tools installs the programs that are missing");
for (const name of counts.failedNames) console.log(`FAILED: ${name}`);
if (outside > 0) console.log("FAILED: something outside of the tests, see above");
const ran = counts.passed + counts.failed;
if (ran === 0) console.log("error: running the tests: no test ran");
console.log(`${counts.passed} passed, ${counts.failed + outside} failed, ${counts.skipped} skipped`);
process.exitCode = code !== 0 || counts.failed > 0 || ran === 0 ? 1 : 0;
