import { AppError } from "#core";
import { isLoopbackHost } from "#system";

/**
 * The address of a registry as a person types it, as `scheme://host[:port]`. Without a scheme: http for this machine, https for
 * others. Throws USAGE for what is none, and for plain HTTP to another machine unless that was said.
 */
export function parseRegistryUrl(text: string, plainHttp: boolean): string {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = URL.parse(hasScheme ? text : `https://${text}`);
  if (url === null || url.hostname === "" || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new AppError("USAGE", "that is not the address of a registry", {
      hint: "write it as registry.example.org or http://127.0.0.1:5000",
    });
  if (url.username !== "" || url.password !== "")
    throw new AppError("USAGE", "a username and password do not belong in the address", {
      hint: "use -u, and type the password when asked",
    });
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw new AppError("USAGE", "the address of a registry has no path", {
      hint: `write ${url.protocol}//${url.host}`,
    });
  const isLocal = isLoopbackHost(url.hostname);
  if (!hasScheme && (isLocal || plainHttp)) return `http://${new URL(`http://${text}`).host}`;
  if (url.protocol === "http:" && !isLocal && !plainHttp)
    throw new AppError(
      "USAGE",
      `plain HTTP would show the password to everybody between here and ${url.host}`,
      {
        hint: `use https://${url.host}, or say --plain-http`,
      },
    );
  return `${url.protocol}//${url.host}`;
}
