import { createRobot } from "../../test/support/wharf-process.ts";
import type { Content } from "./content.ts";
import type { Row } from "./row.ts";
import { project, smallRepository } from "./server.ts";
import { fetchToken, type WharfServer } from "./start-servers.ts";

/** The speed above is worth something only if a revoked proof ends: a robot's Bearer token is used, its robot deleted, and it is used again. */
export async function measureRevocation(wharf: WharfServer, content: Content): Promise<Row> {
  const robot = await createRobot(wharf.process.admin, project, "leaving", ["pull"]);
  const authorization = await fetchToken(wharf.url, robot, smallRepository);
  const status = async (): Promise<number> => {
    const answer = await fetch(
      `${wharf.url}/v2/${smallRepository}/manifests/${content.image.manifestDigest}`,
      { headers: { authorization } },
    );
    await answer.arrayBuffer();
    return answer.status;
  };
  // Twice, so that it is remembered if anything remembers it.
  const before = [await status(), await status()];
  await wharf.process.admin.call("DELETE", `/projects/${project}/robots/leaving`);
  const after = await status();
  return {
    work: "the same with a Bearer token of a robot that was just deleted, first request",
    unit: "status",
    decimals: 0,
    goal: "401 (200 before)",
    samples: { wharf: { value: after } },
    verdict: {
      met: after === 401 && before.every((code) => code === 200),
      words: `${before[0]}, then ${after}`,
    },
  };
}
