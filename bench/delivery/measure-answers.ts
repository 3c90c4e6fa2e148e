import { symlinkSync } from "node:fs";
import { atMostMs, type PeerRow } from "../peer-row.ts";
import type { DeliveryBench } from "./delivery-row.ts";
import { createPasswordStore } from "./password-store.ts";
import { createSealedHome } from "./sealed-logins.ts";
import { timeInTurn, timeRun } from "./time-runs.ts";

/** As many as a person has. */
const LOGINS = 10;

/** The programs that others wait for: credential helper, kubelet plugin, and `why` for a person. Each from its start to its end. */
export async function measureAnswers(bench: DeliveryBench): Promise<readonly PeerRow[]> {
  const owner = await createSealedHome(bench, "owner", LOGINS, [
    "{ to: docker, at: local }",
    "{ to: podman, at: local }",
    "{ to: apptainer, at: local }",
  ]);
  const registry = owner.registries[LOGINS >> 1] ?? "";
  const env = owner.env;
  const cwd = owner.home;
  await timeRun({ command: [bench.wharf, "apply", "--yes"], env, cwd });
  const helper = bench.scratch.at("docker-credential-wharf");
  const provider = bench.scratch.at("wharf-kubelet-provider");
  for (const link of [helper, provider]) symlinkSync(bench.wharf, link);
  const get = { command: [helper, "get"], env, cwd, input: registry };
  const request = JSON.stringify({
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
    kind: "CredentialProviderRequest",
    image: `${registry}/team/app`,
  });
  const plugin = { command: [provider], env, cwd, input: request };
  const why = { command: [bench.wharf, "why", `${registry}/team/app:1`, "--offline"], env, cwd };
  // What is measured must be the right answer.
  for (const program of [get, plugin, why])
    if (!(await timeRun(program)).out.includes("robot-"))
      throw new Error(`${program.command.join(" ")} did not answer with the login`);
  const store = await createPasswordStore(bench, owner.registries);
  try {
    const peer = store === undefined ? [] : [{ command: store.command, env: store.env, input: registry }];
    const [helperMs = Number.NaN, pluginMs = Number.NaN, whyMs = Number.NaN, passMs] = await timeInTurn(
      [get, plugin, why, ...peer],
      bench.settings.starts,
    );
    return [
      {
        ...answerRow("credential helper, start to answer", helperMs),
        peers: passMs === undefined ? [] : [{ peer: "docker-credential-pass", value: passMs }],
        goal: "no slower than docker-credential-pass",
        verdict:
          passMs === undefined
            ? undefined
            : {
                met: helperMs <= passMs,
                words: `${(helperMs / passMs).toFixed(2)} × docker-credential-pass's time`,
              },
      },
      {
        ...answerRow("kubelet plugin, start to answer", pluginMs),
        goal: "≤ 60 ms",
        verdict: atMostMs(pluginMs, 60),
      },
      {
        ...answerRow("wharf why, offline", whyMs),
        goal: "≤ 150 ms",
        verdict: atMostMs(whyMs, 150),
      },
    ];
  } finally {
    await store?.stop();
  }
}

function answerRow(
  work: string,
  value: number,
): Pick<PeerRow, "work" | "unit" | "decimals" | "wharf" | "peers"> {
  return { work, unit: "ms", decimals: 1, wharf: value, peers: [] };
}
