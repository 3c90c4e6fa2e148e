import { createScratch } from "../../test/support/scratch.ts";
import { insideScratch } from "../inside-scratch.ts";
import { createCertificate } from "./certificate.ts";
import { measureConformance } from "./conformance.ts";
import { type Content, createContent, pushContent } from "./content.ts";
import { measureIdleMemory, measurePeakMemory, measureStart } from "./footprint.ts";
import { measureLists } from "./lists.ts";
import { measurePasswords } from "./passwords.ts";
import { measureReading, measureTlsReading } from "./reading.ts";
import { readSurroundings, renderReport } from "./report.ts";
import { measureRevocation } from "./revocation.ts";
import type { Row } from "./row.ts";
import type { BenchServer, Settings } from "./server.ts";
import { startServers } from "./start-servers.ts";
import { measureWriting } from "./writing.ts";

/** Measures every row of the table Registry that is neither proxy nor S3; the report. `wharf` is the executable's command. */
export async function benchRegistry(
  root: string,
  wharf: readonly string[],
  settings: Settings,
): Promise<string> {
  const scratch = createScratch("bench");
  try {
    const surroundings = await readSurroundings(root, wharf);
    const rows: Row[] = [];
    const done = (more: readonly Row[]): void => {
      rows.push(...more);
      for (const row of more) console.error(`${row.work}: ${row.verdict?.words ?? "measured"}`);
    };
    const content = createContent(settings);
    const plain = insideScratch(scratch, "plain");
    const { wharf: ours, all } = await startServers({ scratch: plain, wharf, content });
    try {
      const idle = await measureIdleMemory(all);
      await fill(all, content);
      done(await measureReading({ scratch, settings, servers: all, content }));
      done([await measureRevocation(ours, content)]);
      done(await measurePasswords({ scratch, settings, wharf: ours, content }));
      done(await measureWriting({ scratch, settings, servers: all, content }));
      done(await measureLists({ settings, servers: all, wharf: ours }));
      // In the order of the targets' table: what comes after is not "above".
      done([idle, measurePeakMemory(all)]);
      done(await measureConformance(scratch, ours, all));
    } finally {
      await stopAll(all);
    }
    const dataFolders = {
      wharf: ours.process.dataFolder,
      distribution: plain.at("distribution", "data"),
    };
    done(await measureStart({ scratch, settings, wharf, dataFolders }));
    const tls = await createCertificate(scratch);
    const secured = await startServers({ scratch: insideScratch(scratch, "tls"), wharf, content, tls });
    try {
      await fill(secured.all, content);
      done(await measureTlsReading({ scratch, settings, servers: secured.all, content }));
    } finally {
      await stopAll(secured.all);
    }
    return renderReport(rows, surroundings, settings);
  } finally {
    scratch.remove();
  }
}

async function stopAll(servers: readonly BenchServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

async function fill(servers: readonly BenchServer[], content: Content): Promise<void> {
  for (const { target } of servers) if (target !== undefined) await pushContent(target, content);
}
