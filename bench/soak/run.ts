import { createScratch } from "../../test/support/scratch.ts";
import { basic, createProjectRobot, startWharf } from "../../test/support/wharf-process.ts";
import { readSurroundings } from "../registry/report.ts";
import { project } from "../registry/server.ts";
import { fetchToken, type WharfServer } from "../registry/start-servers.ts";
import { keepLoad, pause, type WorkCount } from "./load.ts";
import { renderSoak } from "./render-soak.ts";
import { type MemorySample, readSample } from "./sample.ts";
import { createWorks } from "./works.ts";

const sampleMs = 30_000;

/** Keeps a moderate mixed load on the server for so many minutes and looks at its memory; the report. Each sample goes to `tell` at once. */
export async function benchSoak(
  root: string,
  executable: readonly string[],
  minutes: number,
  tell: (line: string) => void,
): Promise<string> {
  const scratch = createScratch("soak");
  try {
    const surroundings = await readSurroundings(root, executable);
    const process = await startWharf(scratch, { command: executable });
    try {
      const robot = await createProjectRobot(process.admin, project, ["pull", "push", "delete"]);
      const wharf: WharfServer = {
        name: "wharf",
        url: process.url,
        pid: process.pid,
        process,
        robot,
        target: { url: process.url, authorization: basic(robot) },
        authorize: (repository) => fetchToken(process.url, robot, repository),
        stop: async () => {
          await process.stop();
        },
      };
      const stop = new AbortController();
      const counts: WorkCount[] = [];
      const load = keepLoad(await createWorks(wharf), counts, stop.signal);
      const started = performance.now();
      const samples: MemorySample[] = [];
      const sample = (): void => {
        const taken = readSample(process.pid, (performance.now() - started) / 60_000);
        samples.push(taken);
        const failed = counts.reduce((total, count) => total + count.failed, 0);
        tell(`${JSON.stringify(taken)} failed ${failed}`);
      };
      try {
        for (let at = sampleMs; at <= minutes * 60_000; at += sampleMs) {
          await pause(started + at - performance.now(), stop.signal);
          sample();
        }
      } finally {
        stop.abort();
        await load;
      }
      for (const count of counts) for (const words of count.firstFailures) tell(`${count.name}: ${words}`);
      return renderSoak({ samples, counts, surroundings });
    } finally {
      await process.stop();
    }
  } finally {
    scratch.remove();
  }
}
