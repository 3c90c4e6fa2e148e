import { AppError, Secret } from "#core";
import { type FetchTls, readTextLimited } from "#system";
import type { ExecPlugin } from "./exec-plugin.ts";
import { EntryReader, entryOf, type Kubeconfig } from "./kubeconfig.ts";

/** A cluster and who asks it. */
export interface KubeConnection {
  /** `https://host:port/prefix` without a slash at its end. */
  readonly server: string;
  /** Where things are that name no namespace. */
  readonly namespace: string;
  readonly tls: FetchTls;
  readonly proxy: string | undefined;
  readonly user: KubeUser;
}

/** Who asks, as far as it does not change; what does is in `token`. */
export interface KubeUser {
  readonly identity: FetchTls["identity"];
  /** Headers of impersonation. */
  readonly headers: Readonly<Record<string, string>>;
  readonly token:
    | { readonly kind: "none" }
    | { readonly kind: "fixed"; readonly header: Secret }
    /** Read again now and then: kubelets renew it. */
    | { readonly kind: "file"; readonly path: string }
    | { readonly kind: "exec"; readonly plugin: ExecPlugin };
}

const ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The connection of a context (undefined: the current one). Throws CONFIG_INVALID, UNSUPPORTED. */
export async function connectionOf(config: Kubeconfig, wanted: string | undefined): Promise<KubeConnection> {
  const files = config.files.join(", ");
  const name = wanted ?? config.currentContext;
  if (name === undefined)
    throw new AppError("CONFIG_INVALID", `${files}: there is no current-context`, {
      hint: "name one: at: k8s://CONTEXT (`kubectl config get-contexts` lists them)",
    });
  const context = entryOf(config.contexts, name, { kind: "context", named: files });
  const clusterName = context.text("cluster");
  if (clusterName === undefined) throw context.fault("it names no cluster");
  const cluster = entryOf(config.clusters, clusterName, { kind: "cluster", named: files });
  const userName = context.text("user");
  const user =
    userName === undefined
      ? new EntryReader({ value: {}, where: files, folder: "/" }, "user")
      : entryOf(config.users, userName, { kind: "user", named: files });
  const ca = await cluster.content("certificate-authority");
  const serverName = cluster.text("tls-server-name");
  return {
    server: serverOf(cluster),
    namespace: context.text("namespace") ?? "default",
    tls: {
      ...(ca === undefined ? {} : { onlyCa: ca }),
      ...(serverName === undefined ? {} : { serverName }),
      ...(cluster.flag("insecure-skip-tls-verify") ? { isUnverified: true } : {}),
    },
    proxy: proxyOf(cluster),
    user: await userOf(user),
  };
}

/** The cluster that this process runs in, as its ServiceAccount; undefined outside of one. */
export async function inClusterConnection(
  env: Readonly<Record<string, string | undefined>>,
): Promise<KubeConnection | undefined> {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  const ca = await readTextLimited(`${ACCOUNT_FOLDER}/ca.crt`, 1024 * 1024);
  if (host === undefined || port === undefined || ca === undefined) return undefined;
  const namespace = (await readTextLimited(`${ACCOUNT_FOLDER}/namespace`, 1024))?.trim() ?? "";
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    namespace: namespace === "" ? "default" : namespace,
    tls: { onlyCa: ca },
    proxy: undefined,
    user: { identity: undefined, headers: {}, token: { kind: "file", path: `${ACCOUNT_FOLDER}/token` } },
  };
}

function serverOf(cluster: EntryReader): string {
  const written = cluster.text("server");
  if (written === undefined) throw cluster.fault("it has no server");
  const url = URL.parse(written.includes("://") ? written : `http://${written}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "")
    throw cluster.fault("its server is not an address as https://host:port");
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function proxyOf(cluster: EntryReader): string | undefined {
  const written = cluster.text("proxy-url");
  if (written === undefined) return undefined;
  const url = URL.parse(written);
  if (url === null) throw cluster.fault("proxy-url is not an address");
  if (/^https?:$/.test(url.protocol)) return url.href;
  throw cluster.fault(
    `proxy-url is ${url.protocol}//, and wharf goes through http:// and https:// proxies`,
    "use an HTTP proxy, or a tunnel to the server",
  );
}

async function userOf(user: EntryReader): Promise<KubeUser> {
  const certificate = await user.content("client-certificate");
  const key = await user.content("client-key");
  if ((certificate === undefined) !== (key === undefined))
    throw user.fault("a client-certificate needs its client-key, and the reverse");
  return {
    identity:
      certificate === undefined || key === undefined ? undefined : { certificate, key: new Secret(key) },
    headers: impersonationOf(user),
    token: tokenOf(user),
  };
}

function impersonationOf(user: EntryReader): Readonly<Record<string, string>> {
  const as = user.text("as");
  const uid = user.text("as-uid");
  const groups = user.texts("as-groups");
  // Each group is a header line of its own, and fetch makes one line of several.
  if (groups.length > 1) throw user.fault("as-groups names several groups, and wharf can send one");
  return {
    ...(as === undefined ? {} : { "impersonate-user": as }),
    ...(uid === undefined ? {} : { "impersonate-uid": uid }),
    ...(groups[0] === undefined ? {} : { "impersonate-group": groups[0] }),
  };
}

function tokenOf(user: EntryReader): KubeUser["token"] {
  const file = user.path("tokenFile");
  if (file !== undefined) return { kind: "file", path: file };
  const token = user.text("token");
  if (token !== undefined) return { kind: "fixed", header: new Secret(`Bearer ${token}`) };
  const username = user.text("username");
  if (username !== undefined) {
    const pair = Buffer.from(`${username}:${user.text("password") ?? ""}`).toString("base64");
    return { kind: "fixed", header: new Secret(`Basic ${pair}`) };
  }
  const exec = user.below("exec");
  if (exec !== undefined) return { kind: "exec", plugin: pluginOf(exec) };
  if (user.below("auth-provider") !== undefined)
    throw user.fault(
      "auth-provider is gone from Kubernetes since 1.26",
      "use the exec plugin of your provider (gke-gcloud-auth-plugin, kubelogin)",
    );
  return { kind: "none" };
}

const EXEC_VERSIONS = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

function pluginOf(exec: EntryReader): ExecPlugin {
  const command = exec.path("command") ?? "";
  const written = exec.text("command");
  const apiVersion = exec.text("apiVersion") ?? "";
  if (written === undefined) throw exec.fault("it names no command");
  if (!EXEC_VERSIONS.includes(apiVersion))
    throw exec.fault(`apiVersion is not one of ${EXEC_VERSIONS.join(", ")}`);
  if (exec.text("interactiveMode") === "Always")
    throw exec.fault(
      "its plugin wants a terminal (interactiveMode: Always)",
      "sign in with it first, or use a token for this work",
    );
  const hint = exec.text("installHint");
  return {
    // A name without a slash is looked up on PATH; a relative path is one from the file's folder (client-go).
    command: written.includes("/") ? command : written,
    args: exec.texts("args"),
    env: Object.fromEntries(exec.list("env").map((one) => [one.text("name") ?? "", one.text("value") ?? ""])),
    apiVersion,
    givesCluster: exec.flag("provideClusterInfo"),
    installHint: hint?.replace(/[\p{Cc}\s]+/gu, " ").slice(0, 300),
  };
}
