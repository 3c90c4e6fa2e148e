/** Pieces of the examples' files. Put together at run time: no login that could be decoded stands in the repository. */
export const pair = (user: string, secret: string): string =>
  Buffer.from(`${user}:${secret}`).toString("base64");
export const GOOD = pair("robot", ["Qx7", "pL2", "vN9"].join("-"));
export const HUB = "https://index.docker.io/v1/";
export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
export const auths = (entries: Readonly<Record<string, unknown>>): string => json({ auths: entries });
export const encoded = (text: string): string => Buffer.from(text).toString("base64");
export const good = { "registry.example.org": { auth: GOOD } };
export const wrapped = (text: string): string => encoded(text).replace(/(.{40})/g, "$1\n    ");

export function secret(value: string, head = "type: kubernetes.io/dockerconfigjson", labels = ""): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: pull\n${labels}${head}\ndata:\n  .dockerconfigjson: ${value}\n`;
}
