import { safeHeaders } from "./problem.ts";

/** What the home page says. */
export interface HomeFacts {
  readonly version: string;
  /** What clients put before a repository: `host[:port]`. */
  readonly registry: string;
  /** The own CA's certificate is at /ca.crt. */
  readonly hasOwnCa: boolean;
}

/** The page at `/` for people who open the registry's address in a browser: how to go on. No script, nothing from elsewhere. */
export function renderHomePage(facts: HomeFacts): Response {
  const registry = escapeHtml(facts.registry);
  const ca = facts.hasOwnCa
    ? `<p>Its certificate comes from its own CA: <a href="/ca.crt">ca.crt</a>. Compare its fingerprint with the one that the server printed before you trust it.</p>`
    : "";
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wharfinger registry</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}pre{background:#8882;padding:.8rem;overflow:auto}:root{color-scheme:light dark}</style>
<h1>A Wharfinger registry</h1>
<p>Container images live here. Log in with a user and password, or a robot and its secret:</p>
<pre>docker login ${registry}
docker push ${registry}/PROJECT/IMAGE:TAG
docker pull ${registry}/PROJECT/IMAGE:TAG</pre>
${ca}<p>The management API describes itself at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>; from a terminal, <code>wharf sign-in</code> and then <code>wharf project list</code>.</p>
<p><small>wharf ${escapeHtml(facts.version)}</small></p>
</html>
`;
  return new Response(html, { headers: { ...safeHeaders, "content-type": "text/html; charset=utf-8" } });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
