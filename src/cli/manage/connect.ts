import type { ApiClient, ApiFetch, ListPage, ListQuery } from "#api/client";
import { createApiClient } from "#api/client";
import { AppError, type Context, version } from "#core";
import { createFetch, readTextLimited } from "#system";
import type { Invocation } from "../command.ts";
import { parseRegistryUrl } from "./registry-url.ts";
import { readSignIns, type SignIn } from "./sign-in-store.ts";

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_CA_BYTES = 1024 * 1024;

/** A management API with the sign-in that is used for it. */
export interface Connection {
  readonly client: ApiClient;
  readonly signIn: SignIn;
}

/** Opens the API of the registry that `--registry` names, or of the last sign-in. Throws UNAUTHORIZED where there is no sign-in. */
export async function connect(invocation: Invocation): Promise<Connection> {
  const signIn = await chooseSignIn(invocation);
  const fetch = await createApiFetch(invocation.context, invocation.env, signIn.caFile);
  return { signIn, client: createApiClient({ url: signIn.url, credentials: signIn, fetch }) };
}

/** The API's way out of this machine: our fetch, with proxies, and a private CA where one is said. */
export async function createApiFetch(
  context: Context,
  env: Invocation["env"],
  caFile: string | undefined,
): Promise<ApiFetch> {
  const ca = caFile === undefined ? undefined : await readTextLimited(caFile, MAX_CA_BYTES);
  if (caFile !== undefined && ca === undefined)
    throw new AppError("CONFIG_INVALID", `the CA file ${caFile} is not there`, {
      hint: "put it there again, or sign in again with --ca",
    });
  const fetch = createFetch({ environment: env, userAgent: `wharf/${version}` });
  return async (url, request) => {
    const answer = await fetch(url, {
      ...request,
      signal: context.signal,
      ...(ca === undefined ? {} : { ca }),
    });
    const bytes = await answer.readBytes(MAX_ANSWER_BYTES);
    return { status: answer.status, text: new TextDecoder().decode(bytes) };
  };
}

/** All items of a list, page after page. */
export async function readAll<T>(list: (query: ListQuery) => Promise<ListPage<T>>): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page = await list({ limit: 200, ...(after === undefined ? {} : { after }) });
    items.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return items;
}

async function chooseSignIn({ env, cwd, options, typedAs }: Invocation): Promise<SignIn> {
  const signIns = await readSignIns({ env, cwd });
  const named = options["registry"];
  if (typeof named !== "string") {
    const [first] = signIns;
    if (first !== undefined) return first;
    throw new AppError("UNAUTHORIZED", "you are not signed in to a registry", {
      hint: `sign in first: ${typedAs} sign-in URL`,
    });
  }
  const url = parseRegistryUrl(named, true);
  const host = new URL(url).host;
  const found =
    signIns.find((signIn) => signIn.url === url) ?? signIns.find(({ url: at }) => new URL(at).host === host);
  if (found !== undefined) return found;
  throw new AppError("UNAUTHORIZED", `you are not signed in to ${host}`, {
    hint: `sign in first: ${typedAs} sign-in ${named}`,
  });
}
