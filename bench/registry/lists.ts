import { ask, type RegistryTarget } from "../../test/support/registry-calls.ts";
import { basic } from "../../test/support/wharf-process.ts";
import { allOf, atMost, measureInterleaved, median, type Row } from "./row.ts";
import { type BenchServer, project, type Settings } from "./server.ts";
import { fillRepositories, measureTagPuts } from "./small-pushes.ts";
import type { WharfServer } from "./start-servers.ts";
import { taggedRepository } from "./writing.ts";

/** Tags and the catalog, page by page; after `measureWriting`. */
export async function measureLists(options: {
  readonly settings: Settings;
  readonly servers: readonly BenchServer[];
  readonly wharf: WharfServer;
}): Promise<Row[]> {
  const { settings, servers, wharf } = options;
  const tags = `/v2/${taggedRepository}/tags/list?n=100`;
  const page = await measureInterleaved(servers, settings, async (server) =>
    server.target === undefined ? undefined : { value: await medianOfGets(server.target, tags) },
  );
  const pages = await measureInterleaved(servers, settings, async (server) =>
    server.target === undefined
      ? undefined
      : { value: await timeOfPages(server.target, tags, settings.tags) },
  );
  for (const server of servers) {
    if (server.target !== undefined) await fillRepositories(server.target, project, settings.repositories);
  }
  const catalog = await measureInterleaved(servers, settings, async (server) => {
    if (server.target === undefined) return undefined;
    // The catalog is for those who may see all of it: the admin, by a token, as a robot's secret would be.
    const target = server.name === "wharf" ? await catalogTarget(wharf) : server.target;
    return { value: await medianOfGets(target, "/v2/_catalog?n=100") };
  });
  const many = await timeWithManyTags(wharf, settings, tags);
  return [
    {
      work: `tags, 100 of ${settings.tags}`,
      unit: "ms",
      decimals: 2,
      goal: `≤ a tenth of Distribution's, the same at ${settings.manyTags} tags`,
      samples: page,
      verdict: allOf(atMost(page, "distribution", 0.1), {
        met: many <= 1.5 * (page.wharf?.value ?? 0),
        words: `${many.toFixed(2)} ms at ${settings.manyTags}`,
      }),
    },
    {
      work: `all ${settings.tags} tags in pages of 100`,
      unit: "ms",
      decimals: 1,
      goal: "≤ a tenth of Distribution's",
      samples: pages,
      verdict: atMost(pages, "distribution", 0.1),
    },
    {
      work: `catalog, 100 of ${settings.repositories}`,
      unit: "ms",
      decimals: 2,
      goal: "≤ a tenth of Distribution's",
      samples: catalog,
      verdict: atMost(catalog, "distribution", 0.1),
    },
  ];
}

/** A named token of the admin, as a script would have it: a password is slow on purpose. */
async function catalogTarget(wharf: WharfServer): Promise<RegistryTarget> {
  const { admin } = wharf.process;
  const token = await admin.call<{ readonly secret: string }>("POST", "/users/admin/tokens", {
    name: `bench-${crypto.randomUUID()}`,
    expiresInDays: 1,
  });
  return { url: wharf.url, authorization: basic({ username: "admin", secret: token.secret }) };
}

async function timeWithManyTags(wharf: WharfServer, settings: Settings, tags: string): Promise<number> {
  if (wharf.target === undefined) return Number.NaN;
  const load = { connections: 4, from: settings.tags, to: settings.manyTags, parts: 1 };
  await measureTagPuts(wharf.target, taggedRepository, load);
  return medianOfGets(wharf.target, tags);
}

/** Milliseconds of one GET, the median of 51 in a row. */
async function medianOfGets(target: RegistryTarget, path: string): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 51; turn += 1) {
    const started = performance.now();
    const answer = await ask(target, "GET", path);
    const text = await answer.text();
    times.push(performance.now() - started);
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${text}`);
  }
  return median(times);
}

/** Milliseconds to follow every `Link`; throws when fewer than `expected` tags came. */
async function timeOfPages(target: RegistryTarget, first: string, expected: number): Promise<number> {
  const started = performance.now();
  let path: string | undefined = first;
  let count = 0;
  while (path !== undefined) {
    const answer: Response = await ask(target, "GET", path);
    const body = (await answer.json()) as { readonly tags?: readonly string[] | null };
    count += body.tags?.length ?? 0;
    path = /<([^>]+)>;\s*rel="?next"?/.exec(answer.headers.get("link") ?? "")?.[1];
  }
  if (count < expected) throw new Error(`${count} tags in all pages of ${first}, not ${expected}`);
  return performance.now() - started;
}
