/** 202 to a deletion. */
export function accepted(): Response {
  return new Response(null, { status: 202 });
}

/** 201: something is durably there, under `location`, with this digest. */
export function created(
  location: string,
  digest: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(null, {
    status: 201,
    headers: { location, "docker-content-digest": digest, ...headers },
  });
}

/** A document of ours. */
export function json(
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
  type = "application/json",
): Response {
  return new Response(JSON.stringify(value), { headers: { "content-type": type, ...headers } });
}
