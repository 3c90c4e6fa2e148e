import {
  ask,
  digestAt,
  manifestType,
  type RegistryTarget,
  randomBytes,
  startUpload,
} from "../../test/support/registry-calls.ts";
import { until } from "../../test/support/until.ts";
import { apiCaller, basic } from "../../test/support/wharf-process.ts";
import { project } from "../registry/server.ts";
import { fetchToken, type WharfServer } from "../registry/start-servers.ts";
import { LargeBlobs, RotatingImages } from "./images.ts";
import type { Work } from "./load.ts";
import { mustBe } from "./must-be.ts";

const megabyte = 1024 * 1024;

/** Everything that a small cluster does to a registry, slowly, and what clients do wrong. The data stays bounded. */
export async function createWorks(wharf: WharfServer): Promise<Work[]> {
  const byName: RegistryTarget = { url: wharf.url, authorization: basic(wharf.robot) };
  const images = new RotatingImages(byName, 400, 40);
  const large = new LargeBlobs(byName, 4, 16 * megabyte);
  await large.pushAll();
  for (let turn = 0; turn < 5; turn += 1) await images.push(turn);
  const { admin } = wharf.process;
  const user = { username: "soak", secret: crypto.randomUUID() };
  await admin.call("POST", "/users", { name: user.username, password: user.secret });
  const asUser = apiCaller(wharf.url, user);
  // Renewed by the work of its name; tokens last for minutes.
  const bearer = new Map<string, string>();
  const target = (repository: string): RegistryTarget => {
    const authorization = bearer.get(repository);
    return { url: wharf.url, authorization: authorization ?? byName.authorization };
  };
  const get = async (path: string, by: RegistryTarget = byName): Promise<void> => {
    await mustBe(await ask(by, "GET", path, { headers: { accept: manifestType } }), 200);
  };
  return [
    {
      name: "manifest GET by tag",
      perSecond: 40,
      run: (turn) => {
        const { repository } = images.at(turn);
        return get(`/v2/${repository}/manifests/latest`, target(repository));
      },
    },
    {
      name: "manifest GET by digest, with a token or the robot's secret",
      perSecond: 40,
      run: (turn) => {
        const { repository, image } = images.at(turn);
        // One that its push has deleted meanwhile is no fault.
        return allow404(get(`/v2/${repository}/manifests/${image.manifestDigest}`, target(repository)));
      },
    },
    {
      name: "GET with a connection of its own",
      perSecond: 4,
      run: async () => {
        await mustBe(await fetch(`${wharf.url}/v2/`, { keepalive: false }), 401);
      },
    },
    {
      name: "token mint: challenge and exchange",
      perSecond: 2,
      run: async (turn) => {
        const repository = `${project}/rotating-${turn % 40}`;
        bearer.set(repository, await fetchToken(wharf.url, wharf.robot, repository));
      },
    },
    { name: "small push, and the oldest deleted", perSecond: 2, run: (turn) => images.push(turn + 5) },
    { name: "16 MB blob deleted and pushed", perSecond: 0.2, run: (turn) => large.pushAgain(turn) },
    {
      name: "16 MB blob pulled",
      perSecond: 0.5,
      run: async () => {
        const found = await digestAt(byName, large.pulled.path);
        if (found !== large.pulled.digest) throw new Error(`pulled ${found}`);
      },
    },
    {
      name: "download aborted",
      perSecond: 0.5,
      run: async () => {
        const abort = new AbortController();
        const answer = await fetch(`${wharf.url}${large.pulled.path}`, {
          headers: { authorization: byName.authorization },
          signal: abort.signal,
        });
        await answer.body?.getReader().read();
        abort.abort();
      },
    },
    {
      name: "upload aborted, every second one cancelled too",
      perSecond: 0.25,
      run: (turn) => abortUpload(byName, turn % 2 === 0),
    },
    {
      name: "wrong password, of users and of nobody",
      perSecond: 0.5,
      run: async (turn) => {
        const username = turn % 10 === 0 ? "victim" : `nobody-${turn}`;
        const by = { url: wharf.url, authorization: basic({ username, secret: "wrong" }) };
        await mustBe(await ask(by, "GET", "/v2/"), 401, 429);
      },
    },
    {
      name: "wrong secret of a robot",
      perSecond: 1,
      run: async () => {
        const secret = `${wharf.robot.secret.slice(0, -4)}aaaa`;
        const by = { url: wharf.url, authorization: basic({ ...wharf.robot, secret }) };
        await mustBe(await ask(by, "GET", "/v2/"), 401, 429);
      },
    },
    { name: "tag list", perSecond: 2, run: (turn) => get(`/v2/${images.at(turn).repository}/tags/list`) },
    { name: "catalog", perSecond: 0.2, run: () => get("/v2/_catalog") },
    { name: "API: whoami by password", perSecond: 0.5, run: () => asUser.call("GET", "/whoami") },
    {
      name: "API: robot made and deleted, projects listed",
      perSecond: 0.2,
      run: async (turn) => {
        const path = `/projects/${project}/robots`;
        await admin.call("POST", path, { name: `passing-${turn}`, actions: ["pull"], expiresInDays: 1 });
        await admin.call("GET", "/projects");
        await admin.call("DELETE", `${path}/passing-${turn}`);
      },
    },
    {
      name: "metrics and start page",
      perSecond: 0.2,
      run: async () => {
        await mustBe(await fetch(`${wharf.url}/metrics`), 200);
        await mustBe(await fetch(wharf.url), 200);
      },
    },
  ];
}

async function allow404(work: Promise<void>): Promise<void> {
  await work.catch((cause: unknown) => {
    if (!String(cause).includes(": 404 ")) throw cause;
  });
}

/** A chunk whose body is cut off after its first half megabyte. */
async function abortUpload(target: RegistryTarget, cancel: boolean): Promise<void> {
  const place = await startUpload(target, `${project}/aborted`);
  const abort = new AbortController();
  const body = new ReadableStream({
    async pull(controller) {
      controller.enqueue(randomBytes(megabyte / 2));
      await Bun.sleep(50);
      abort.abort();
    },
  });
  const sent = fetch(new URL(place, target.url), {
    method: "PATCH",
    body,
    headers: { authorization: target.authorization, "content-type": "application/octet-stream" },
    signal: abort.signal,
  });
  await sent.then(
    (answer) => {
      throw new Error(`an upload that was cut off was answered ${answer.status}`);
    },
    (cause: unknown) => {
      if (!abort.signal.aborted) throw cause;
    },
  );
  if (!cancel) return;
  // The server hears of the cut a moment later; until then the upload is still being worked on.
  await until("the upload is let go", async () => {
    const answer = await ask(target, "DELETE", place);
    if (answer.status !== 409) {
      await mustBe(answer, 204, 404);
      return true;
    }
    await answer.arrayBuffer();
    return undefined;
  });
}
