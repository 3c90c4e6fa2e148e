import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { freePort } from "./distribution.ts";
import { programPath } from "./programs.ts";
import { mustRun, type Ran, runProgram } from "./run-program.ts";
import type { Scratch } from "./scratch.ts";
import { until } from "./until.ts";

/** A real etcd, kube-apiserver and kube-controller-manager on loopback, with RBAC on. Ready in about five seconds, 300 MB. */
export interface KubeCluster {
  /** `https://127.0.0.1:PORT`. */
  readonly server: string;
  /** The cluster's CA certificate, PEM. */
  readonly caFile: string;
  /** A kubeconfig of an administrator (by token); its context is named `test`. */
  readonly adminConfig: string;
  readonly adminToken: string;
  /** A kubeconfig of a user whom nothing is allowed yet, by client certificate. */
  userConfig(name: string, groups?: readonly string[]): Promise<string>;
  /** A kubeconfig of a ServiceAccount that is there, by a token of one hour. */
  serviceAccountConfig(namespace: string, name: string): Promise<string>;
  /** kubectl 1.36 as the administrator. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<Ran>;
  /** As `kubectl`; throws with its words when it fails. Gives standard output back. */
  mustKubectl(args: readonly string[], options?: KubectlOptions): Promise<string>;
  /** A request as the administrator; `path` as in `/api/v1/namespaces`. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<Response>;
  /** Makes a namespace and waits for its default ServiceAccount. */
  addNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  /** What the server was asked, whole requests, in order: to count writes and to see that nobody lists too much. */
  audit(): readonly AuditEvent[];
  /** What its programs have written so far, for messages of failed tests. */
  logs(): string;
  stop(): Promise<void>;
}

export interface KubectlOptions {
  readonly input?: string;
  /** Another kubeconfig than the administrator's. */
  readonly config?: string;
}

export interface AuditEvent {
  readonly verb: string;
  readonly user: string;
  readonly uri: string;
  readonly code: number;
  readonly resource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** Starts one with its data under `scratch`. Tests have theirs by `useKubeCluster`. */
export async function startKubeCluster(scratch: Scratch): Promise<KubeCluster> {
  const folder = scratch.at("kube");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await createCertificates(folder);
  // A port that was free may be taken a moment later, and these programs cannot be given port 0.
  for (let attempt = 1; ; attempt++) {
    const programs = await startPrograms(folder).catch((fault: unknown) => {
      if (attempt === 3) throw fault;
      return undefined;
    });
    if (programs !== undefined) return createCluster(folder, programs);
  }
}

/** Where the program of `test/kube` lies, with the name of the one that it shall be. */
export function kubeCommand(name: string): readonly string[] {
  return [programPath("kube"), name];
}

interface Programs {
  readonly server: string;
  readonly adminToken: string;
  stop(): Promise<void>;
}

async function createCertificates(folder: string): Promise<void> {
  const openssl = programPath("openssl");
  const silent = { cwd: folder };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await mustRun(
    [openssl, "req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=ca"],
    silent,
  );
  await mustRun([openssl, "genrsa", "-out", "service-account.key", "2048"], silent);
  await signCertificate(folder, "server", "/CN=kube-apiserver", [
    "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc",
    "extendedKeyUsage=serverAuth",
  ]);
}

/** Makes `NAME.key` and `NAME.crt`, signed by the cluster's CA. */
async function signCertificate(
  folder: string,
  name: string,
  subject: string,
  extensions: readonly string[],
): Promise<void> {
  const openssl = programPath("openssl");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  writeFileSync(`${folder}/${name}.ext`, `${extensions.join("\n")}\n`);
  await mustRun(
    [openssl, "req", "-new", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject],
    { cwd: folder },
  );
  const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
  const files = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-extfile", `${name}.ext`];
  await mustRun([openssl, "x509", "-req", ...authority, ...files, "-days", "2"], { cwd: folder });
}

async function startPrograms(folder: string): Promise<Programs> {
  const children: Bun.Subprocess[] = [];
  const [clientPort, peerPort, port] = [freePort(), freePort(), freePort()];
  const server = `https://127.0.0.1:${port}`;
  const adminToken = crypto.randomUUID();
  const managerToken = crypto.randomUUID();
  writeFileSync(
    `${folder}/tokens.csv`,
    `${adminToken},admin,admin,"system:masters"\n${managerToken},manager,manager,"system:masters"\n`,
    { mode: 0o600 },
  );
  writeFileSync(`${folder}/admin.conf`, renderConfig(folder, server, `token: ${adminToken}`), {
    mode: 0o600,
  });
  const manager = renderConfig(folder, server, `token: ${managerToken}`);
  writeFileSync(`${folder}/manager.conf`, manager, { mode: 0o600 });
  writeFileSync(`${folder}/audit.yaml`, AUDIT_POLICY);
  const start = (name: string, args: readonly string[]): void => {
    const log = Bun.file(`${folder}/${name}.log`);
    children.push(
      Bun.spawn([...kubeCommand(name), ...args], {
        stdio: ["ignore", log, log],
        cwd: folder,
        env: { PATH: process.env.PATH ?? "", HOME: folder },
      }),
    );
  };
  const stop = async (): Promise<void> => {
    // The server first: without its store it would wait for it.
    for (const child of children.toReversed()) {
      child.kill();
      // It ends its watches for up to a minute when it is asked kindly; nothing of it is kept.
      const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await child.exited;
      clearTimeout(timer);
    }
  };
  try {
    start("etcd", [
      `--data-dir=${folder}/etcd-${port}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
      `--listen-client-urls=http://127.0.0.1:${clientPort}`,
      `--advertise-client-urls=http://127.0.0.1:${clientPort}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    ]);
    start("apiserver", [
      `--etcd-servers=http://127.0.0.1:${clientPort}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--secure-port=${port}`,
      `--cert-dir=${folder}`,
      `--tls-cert-file=${folder}/server.crt`,
      `--tls-private-key-file=${folder}/server.key`,
      `--client-ca-file=${folder}/ca.crt`,
      `--token-auth-file=${folder}/tokens.csv`,
      "--authorization-mode=Node,RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
      `--service-account-issuer=https://kubernetes.default.svc`,
      `--service-account-key-file=${folder}/service-account.key`,
      `--service-account-signing-key-file=${folder}/service-account.key`,
      "--endpoint-reconciler-type=none",
      `--audit-policy-file=${folder}/audit.yaml`,
      `--audit-log-path=${folder}/audit.log`,
    ]);
    await untilAnswers(`${server}/readyz`, adminToken, () => {
      const ended = children.findIndex((child) => child.exitCode !== null || child.signalCode !== null);
      if (ended !== -1) throw new Error(`a program of the cluster ended:\n${readLogs(folder)}`);
    });
    start("controller-manager", [
      `--kubeconfig=${folder}/manager.conf`,
      "--controllers=serviceaccount-controller,namespace-controller,serviceaccount-token-controller",
      "--leader-elect=false",
      "--secure-port=0",
      `--service-account-private-key-file=${folder}/service-account.key`,
      `--root-ca-file=${folder}/ca.crt`,
    ]);
    await untilAnswers(
      `${server}/api/v1/namespaces/default/serviceaccounts/default`,
      adminToken,
      () => undefined,
    );
  } catch (fault) {
    await stop();
    throw fault;
  }
  return { server, adminToken, stop };
}

async function untilAnswers(url: string, token: string, look: () => void): Promise<void> {
  const init = { headers: { authorization: `Bearer ${token}` }, tls: { rejectUnauthorized: false } };
  await until(
    `${url} answers`,
    async () => {
      look();
      const answer = await fetch(url, init).catch(() => undefined);
      return answer?.ok === true ? true : undefined;
    },
    90_000,
  );
}

function createCluster(folder: string, programs: Programs): KubeCluster {
  const { server, adminToken } = programs;
  const ca = readFileSync(`${folder}/ca.crt`, "utf8");
  const cluster: KubeCluster = {
    server,
    adminToken,
    caFile: `${folder}/ca.crt`,
    adminConfig: `${folder}/admin.conf`,
    stop: () => programs.stop(),
    logs: () => readLogs(folder),
    async userConfig(name, groups = []) {
      const path = `${folder}/user-${name}.conf`;
      const subject = `/CN=${name}${groups.map((group) => `/O=${group}`).join("")}`;
      await signCertificate(folder, `user-${name}`, subject, ["extendedKeyUsage=clientAuth"]);
      const [crt, key] = [`user-${name}.crt`, `user-${name}.key`];
      const user = `client-certificate: ${folder}/${crt}\n    client-key: ${folder}/${key}`;
      writeFileSync(path, renderConfig(folder, server, user), { mode: 0o600 });
      return path;
    },
    async serviceAccountConfig(namespace, name) {
      const path = `${folder}/account-${namespace}-${name}.conf`;
      const token = await cluster.mustKubectl(["create", "token", name, "-n", namespace, "--duration=1h"]);
      writeFileSync(path, renderConfig(folder, server, `token: ${token.trim()}`), { mode: 0o600 });
      return path;
    },
    kubectl: async (args, { input, config = `${folder}/admin.conf` } = {}) =>
      runProgram([...kubeCommand("kubectl"), "--kubeconfig", config, ...args], {
        env: { PATH: process.env.PATH ?? "", HOME: folder },
        ...(input === undefined ? {} : { input }),
      }),
    async mustKubectl(args, options) {
      const ran = await cluster.kubectl(args, options);
      if (ran.code !== 0) throw new Error(`kubectl ${args.join(" ")} failed with ${ran.code}\n${ran.err}`);
      return ran.out;
    },
    request: async (method, path, body, contentType = "application/json") =>
      fetch(`${server}${path}`, {
        method,
        headers: { authorization: `Bearer ${adminToken}`, "content-type": contentType },
        tls: { ca },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    async addNamespace(name, labels = {}) {
      const made = await cluster.request("POST", "/api/v1/namespaces", { metadata: { name, labels } });
      if (!made.ok) throw new Error(`namespace ${name}: ${made.status} ${await made.text()}`);
      await untilAnswers(
        `${server}/api/v1/namespaces/${name}/serviceaccounts/default`,
        adminToken,
        () => undefined,
      );
    },
    audit: () => parseAudit(readFileSync(`${folder}/audit.log`, "utf8")),
  };
  return cluster;
}

/** Whole requests only, without the noise of the server's own parts. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: None
    users: ["system:apiserver", "manager"]
  - level: None
    nonResourceURLs: ["/*"]
  - level: Metadata
`;

interface AuditLine {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code: number };
}

function parseAudit(text: string): readonly AuditEvent[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): AuditEvent => {
      const event = JSON.parse(line) as AuditLine;
      return {
        verb: event.verb,
        user: event.user.username,
        uri: event.requestURI,
        code: event.responseStatus?.code ?? 0,
        resource: event.objectRef?.resource,
        namespace: event.objectRef?.namespace,
        name: event.objectRef?.name,
      };
    });
}

function renderConfig(folder: string, server: string, user: string): string {
  return `apiVersion: v1
kind: Config
current-context: test
clusters:
- name: test
  cluster:
    server: ${server}
    certificate-authority: ${folder}/ca.crt
contexts:
- name: test
  context:
    cluster: test
    user: test
users:
- name: test
  user:
    ${user}
`;
}

function readLogs(folder: string): string {
  const ends = ["etcd", "apiserver", "controller-manager"].map((name) => {
    const text = new TextDecoder().decode(readIfThere(`${folder}/${name}.log`));
    return `${name}: ${text.slice(-2000)}`;
  });
  return ends.join("\n");
}

function readIfThere(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array();
  }
}
