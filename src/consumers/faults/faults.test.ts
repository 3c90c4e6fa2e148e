/** Each mistake of the table is seen in a small file of its shape, not seen where the right value stands, and mended where it says so. */
import { expect, test } from "bun:test";
import { faultTable } from "./fault-table.ts";
import { findFaults } from "./find-faults.ts";
import { mendText } from "./mend-text.ts";

// Put together at run time: no login that could be decoded stands in the repository.
const pair = (user: string, secret: string): string => Buffer.from(`${user}:${secret}`).toString("base64");
const GOOD = pair("robot", ["Qx7", "pL2", "vN9"].join("-"));
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const auths = (entries: Readonly<Record<string, unknown>>): string => json({ auths: entries });
const encoded = (text: string): string => Buffer.from(text).toString("base64");
const good = { "registry.example.org": { auth: GOOD } };
const wrapped = (text: string): string => encoded(text).replace(/(.{40})/g, "$1\n    ");

function secret(value: string, head = "type: kubernetes.io/dockerconfigjson", labels = ""): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: pull\n${labels}${head}\ndata:\n  .dockerconfigjson: ${value}\n`;
}

interface Example {
  readonly code: string;
  readonly path: string;
  readonly wrong: string;
  /** As it should be; the mended file is exactly this where `mends`. */
  readonly right: string;
  readonly mends?: boolean;
  readonly mode?: number;
  readonly curl?: string;
}

const HUB = "https://index.docker.io/v1/";
const netrc = (...hosts: readonly string[]): string =>
  hosts.map((host) => `machine ${host} login robot password Qx7pL2\n`).join("");

const examples: readonly Example[] = [
  {
    code: "WD001",
    path: "config.json",
    wrong: auths({ "docker.io": { auth: GOOD } }),
    right: auths({ [HUB]: { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD001",
    path: "config.json",
    wrong: auths({ "https://registry-1.docker.io/v2/": { auth: GOOD } }),
    right: auths({ [HUB]: { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD001",
    path: "auth.json",
    wrong: auths({ "hub.docker.com": { auth: GOOD } }),
    right: auths({ "docker.io": { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD001",
    path: "/var/lib/kubelet/config.json",
    wrong: auths({ "registry-1.docker.io": { auth: GOOD } }),
    right: auths({ "docker.io": { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD002",
    path: "config.json",
    wrong: auths({ "registry.example.org/a": { auth: GOOD }, "registry.example.org/b": { auth: GOOD } }),
    right: auths({ ...good, "registry.example.org/a": { auth: GOOD } }),
  },
  {
    code: "WD003",
    path: "config.json",
    wrong: auths({ "a.example.org": { auth: pair("", ""), identitytoken: "t-1" } }),
    right: auths({
      "a.example.org": { auth: pair("00000000-0000-0000-0000-000000000000", ""), identitytoken: "t-1" },
    }),
    mends: true,
  },
  {
    code: "WD003",
    path: "config.json",
    wrong: auths({ "a.example.org": { auth: pair("", "Qx7pL2") } }),
    right: auths(good),
  },
  {
    code: "WD004",
    path: "config.json",
    wrong: auths({ "a.example.org": { auth: pair("robo", "Qx7pL2").replace(/=+$/, "") } }),
    right: auths({ "a.example.org": { auth: pair("robo", "Qx7pL2") } }),
    mends: true,
  },
  {
    code: "WD004",
    path: "auth.json",
    wrong: auths({ "a.example.org": { auth: "robot:Qx7pL2" } }),
    right: auths({ "a.example.org": { auth: pair("robot", "Qx7pL2") } }),
    mends: true,
  },
  {
    code: "WD005",
    path: "config.json",
    wrong: auths({ "a.example.org": { auth: encoded("Qx7pL2vN9") } }),
    right: auths(good),
  },
  {
    code: "WD005",
    path: "config.json",
    wrong: auths({ "a.example.org": { auth: encoded("Qx7pL2vN9"), username: "robot", password: "Qx7pL2" } }),
    right: auths({
      "a.example.org": { auth: pair("robot", "Qx7pL2"), username: "robot", password: "Qx7pL2" },
    }),
    mends: true,
  },
  {
    code: "WD006",
    path: "key.json",
    wrong: `${JSON.stringify({ "https://eu.registry.example": { auth: GOOD } })}\n`,
    right: `{"auths": ${JSON.stringify({ "https://eu.registry.example": { auth: GOOD } })}}\n`,
    mends: true,
  },
  {
    code: "WD007",
    path: "auth.json",
    wrong: auths({ "a.example.org": { username: "robot", password: "Qx7pL2" } }),
    right: auths({ "a.example.org": { auth: pair("robot", "Qx7pL2") } }),
    mends: true,
  },
  {
    code: "WD008",
    path: "config.json",
    wrong: auths({ "a.example.org": { auth: pair("robot", "Qx7pL2\n") } }),
    right: auths({ "a.example.org": { auth: pair("robot", "Qx7pL2") } }),
    mends: true,
  },
  {
    code: "WD009",
    path: "config.json",
    wrong: json({ auths: good, credsStore: "pass" }),
    right: json({ auths: good, credHelpers: { "other.example.org": "pass" } }),
  },
  {
    code: "WD010",
    path: "secret.yaml",
    wrong: secret(encoded(json({ auths: { "a.example.org": {} }, credsStore: "desktop" }))),
    right: secret(encoded(auths(good))),
  },
  {
    code: "WD011",
    path: "secret.yaml",
    wrong: secret(encoded(auths({ ...good, "b.example.org": {} }))),
    right: secret(encoded(auths(good))),
    mends: true,
  },
  {
    code: "WD012",
    path: "auth.json",
    wrong: auths({ "a.example.org": { identitytoken: "t-1" } }),
    right: auths({
      "a.example.org": { identitytoken: "t-1", auth: pair("00000000-0000-0000-0000-000000000000", "") },
    }),
    mends: true,
  },
  {
    code: "WD012",
    path: "secret.yaml",
    wrong: secret(encoded(auths({ "a.example.org": { auth: pair("robot", ""), identitytoken: "t-1" } }))),
    right: secret(encoded(auths(good))),
  },
  {
    code: "WD013",
    path: "auth.json",
    wrong: auths({ "a.example.org/": { auth: GOOD } }),
    right: auths({ "a.example.org": { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD013",
    path: "auth.json",
    wrong: auths({ "a.example.org/team/app:1.2": { auth: GOOD } }),
    right: auths({ "a.example.org/team/app": { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD013",
    path: "/var/lib/kubelet/config.json",
    wrong: auths({ "https://a.example.org/v2": { auth: GOOD } }),
    right: auths({ "a.example.org": { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD014",
    path: "config.json",
    wrong: '{"auths": {"a.example.org": {"auth": "x"},}}',
    right: auths(good),
  },
  { code: "WD014", path: "config.json", wrong: json({ auths: [] }), right: auths(good) },
  {
    code: "WD014",
    path: "secret.yaml",
    wrong: "kind: Secret\n\tdata: {\n",
    right: secret(encoded(auths(good))),
  },
  {
    code: "WD014",
    path: "config.toml",
    wrong: 'version = 2\n[plugins."io.containerd.grpc.v1.cri"\n',
    right: "version = 2\n[plugins]\n",
  },
  { code: "WD014", path: "registries.yaml", wrong: "configs:\n  - a.example.org\n", right: "configs: {}\n" },
  {
    code: "WD015",
    path: "config.json",
    wrong: auths({ "a.example.org": { username: "ro:bot", password: "Qx7pL2" } }),
    right: auths(good),
  },
  {
    code: "WD016",
    path: "config.json",
    wrong: auths({
      "a.example.org": { auth: GOOD },
      "https://a.example.org/v1/": { auth: pair("old", "Qx7pL2") },
    }),
    right: auths({ "a.example.org": { auth: GOOD }, "https://a.example.org/v1/": { auth: GOOD } }),
  },
  {
    code: "WD017",
    path: "secret.yaml",
    wrong: secret(encoded(auths({ "a.example.org/team": { auth: GOOD } }))),
    right: secret(encoded(auths({ "a.example.org/team/": { auth: GOOD } }))),
  },
  { code: "WD018", path: "config.json", wrong: auths(good), right: auths(good), mode: 0o644 },
  {
    code: "WD019",
    path: "config.json",
    wrong: auths({ "nvcr.io": { auth: pair("oauthtoken", "Qx7pL2") } }),
    right: auths({ "nvcr.io": { auth: pair("$oauthtoken", "Qx7pL2") } }),
    mends: true,
  },
  {
    code: "WD019",
    path: ".credentials",
    wrong:
      "machine nvcr.io login $$oauthtoken password Qx7pL2\nmachine authn.nvidia.com login $oauthtoken password Qx7pL2\n",
    right:
      "machine nvcr.io login $oauthtoken password Qx7pL2\nmachine authn.nvidia.com login $oauthtoken password Qx7pL2\n",
    mends: true,
  },
  {
    code: "WD028",
    path: "secret.yaml",
    wrong: secret(encoded(auths(good)), undefined, "  labels:\n    run.ai/cluster-wide: true\n"),
    right: secret(encoded(auths(good)), undefined, '  labels:\n    run.ai/cluster-wide: "true"\n'),
    mends: true,
  },
  {
    code: "WD029",
    path: "/var/lib/kubelet/config.json",
    wrong: auths({ "docker.io/acme/": { auth: GOOD }, "https://index.docker.io/v1/": { auth: GOOD } }),
    right: auths({ "docker.io/acme/": { auth: GOOD }, "docker.io": { auth: GOOD } }),
    mends: true,
  },
  {
    code: "WD046",
    path: "ci.sh",
    wrong: `export DOCKER_AUTH_CONFIG='${JSON.stringify({ auths: { "a.example.org": { auth: GOOD, email: "" } } })}'\n`,
    right: `export DOCKER_AUTH_CONFIG='${JSON.stringify({ auths: { "a.example.org": { auth: GOOD } } })}'\n`,
  },
  {
    code: "WD056",
    path: "config.json",
    wrong: auths({ "1.dkr.ecr.eu-west-1.amazonaws.com": { auth: pair("AWS", "Qx7pL2") } }),
    right: auths(good),
  },
  {
    code: "WD068",
    path: "config.toml.tmpl",
    wrong: 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  x = "{{ .NodeConfig }}"\n',
    right: '{{ template "base" . }}\n[plugins."io.containerd.grpc.v1.cri"]\n',
  },
  {
    code: "WD020",
    path: "secret.yaml",
    wrong: secret(wrapped(auths(good))),
    right: secret(encoded(auths(good))),
    mends: true,
  },
  {
    code: "WD020",
    path: "secret.yaml",
    wrong: secret(`>-\n    ${wrapped(auths(good))}`),
    right: secret(encoded(auths(good))),
    mends: true,
  },
  {
    code: "WD021",
    path: "secret.yaml",
    wrong: secret(encoded(auths(good)), undefined, "  labels:\n  team: ml\n"),
    right: secret(encoded(auths(good)), undefined, "  labels:\n    team: ml\n"),
    mends: true,
  },
  {
    code: "WD022",
    path: "secret.yaml",
    wrong: secret("'{\"auths\": {}}'"),
    right: secret(encoded(auths(good))),
  },
  { code: "WD022", path: "secret.yaml", wrong: secret(encoded("{}")), right: secret(encoded(auths(good))) },
  {
    code: "WD023",
    path: "secret.yaml",
    wrong: secret(encoded(auths(good)), "type: Opaque"),
    right: secret(encoded(auths(good))),
    mends: true,
  },
  {
    code: "WD024",
    path: "secret.yaml",
    wrong: secret(encoded(json({ auths: good, HttpHeaders: {} }))),
    right: secret(encoded(auths(good))),
  },
  {
    code: "WD024",
    path: "make.sh",
    wrong: "kubectl create secret generic pull --from-file=.dockerconfigjson=$HOME/.docker/config.json\n",
    right: "kubectl create secret generic other --from-file=ca.pem\n",
  },
  {
    code: "WD025",
    path: "secret.yaml",
    wrong: secret(encoded(auths(good)), undefined, '  labels:\n    runai/cluster-wide: "true"\n'),
    right: secret(
      encoded(auths(good)),
      undefined,
      '  labels:\n    run.ai/cluster-wide: "true"\n    run.ai/resource: "docker-registry"\n    runai/cluster-wide: "true"\n',
    ),
    mends: true,
  },
  {
    code: "WD025",
    path: "make.sh",
    wrong: 'kubectl label secret pull runai/cluster-wide="true" -n runai\n',
    right: "kubectl label secret pull run.ai/cluster-wide=true -n runai\n",
  },
  {
    code: "WD026",
    path: "secret.yaml",
    wrong: secret(
      encoded(auths(good)),
      undefined,
      `  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{"data":{".dockerconfigjson":"x"}}'\n`,
    ),
    right: secret(encoded(auths(good))),
  },
  {
    code: "WD027",
    path: "make.sh",
    wrong: `kubectl patch serviceaccount default -n team -p '{"imagePullSecrets": [{"name": "pull"}]}'\n`,
    right: "kubectl get serviceaccount default -n team\n",
  },
  {
    code: "WD030",
    path: ".credentials",
    wrong: netrc("auth.docker.io"),
    right: netrc("auth.docker.io", "registry-1.docker.io"),
    mends: true,
  },
  {
    code: "WD031",
    path: ".credentials",
    wrong: netrc("nvcr.io"),
    right: netrc("nvcr.io", "authn.nvidia.com"),
    mends: true,
  },
  {
    code: "WD031",
    path: ".credentials",
    wrong: netrc("registry.gitlab.com"),
    right: netrc("registry.gitlab.com", "gitlab.com"),
    mends: true,
  },
  {
    code: "WD032",
    path: ".credentials",
    wrong: netrc("a.example.org:5000"),
    right: netrc("a.example.org"),
    mends: true,
  },
  {
    code: "WD033",
    path: ".credentials",
    wrong: "machine a.example.org login robot password $ecret$x\n",
    right: 'machine a.example.org login robot password "$ecret$x"\n',
    mends: true,
  },
  {
    code: "WD034",
    path: ".credentials",
    wrong: "machine a.example.org login robot password one two\n",
    right: 'machine a.example.org login robot password "one two"\n',
    mends: true,
  },
  {
    code: "WD034",
    path: ".credentials",
    wrong: "machine a.example.org login robot password #one\n",
    right: 'machine a.example.org login robot password "#one"\n',
    mends: true,
  },
  {
    code: "WD034",
    path: ".credentials",
    wrong: 'machine a.example.org login robot password "one\n',
    right: netrc("a.example.org"),
  },
  {
    code: "WD035",
    path: ".credentials",
    wrong: 'machine a.example.org login robot password "a b"\n',
    right: netrc("a.example.org"),
    curl: "7.76.1",
  },
  {
    code: "WD036",
    path: ".credentials",
    wrong: `  ${netrc("a.example.org")}`,
    right: netrc("a.example.org"),
    mends: true,
  },
  {
    code: "WD036",
    path: ".credentials",
    wrong: "machine a.example.org password Qx7pL2 login robot\n",
    right: netrc("a.example.org"),
    mends: true,
  },
  {
    code: "WD036",
    path: ".credentials",
    wrong: "machine a.example.org\n  login robot\n  password Qx7pL2\n",
    right: netrc("a.example.org"),
  },
  {
    code: "WD036",
    path: ".credentials",
    wrong: `${netrc("a.example.org")}default login robot password Qx7pL2\n`,
    right: netrc("a.example.org"),
  },
  {
    code: "WD037",
    path: ".credentials",
    wrong: "machine a.example.org login \\$oauthtoken password Qx7pL2\n",
    right: "machine a.example.org login $oauthtoken password Qx7pL2\n",
    mends: true,
  },
  {
    code: "WD037",
    path: ".credentials",
    wrong: "machine a.example.org login '$oauthtoken' password Qx7pL2\n",
    right: "machine a.example.org login $oauthtoken password Qx7pL2\n",
    mends: true,
  },
  {
    code: "WD037",
    path: ".credentials",
    wrong: "machine a.example.org login a*b password Qx7pL2\n",
    right: "machine a.example.org login robot$team+ci password Qx7pL2\n",
  },
  {
    code: "WD038",
    path: ".credentials",
    wrong: `${netrc("a.example.org")}machine a.example.org login other password Qx7pL2\n`,
    right: netrc("a.example.org"),
  },
  {
    code: "WD040",
    path: "app.def",
    wrong: "Bootstrap: docker\nUsername: <user>\nPassword: <secret>\nFrom: team/app:1\n\n%post\n  true\n",
    right: "Bootstrap: docker\nFrom: team/app:1\n\n%post\n  true\n",
    mends: true,
  },
  {
    code: "WD041",
    path: "app.def",
    wrong: "From: Docker\nRegistry: registry.example.org\nFrom: team/app:1\n",
    right: "Bootstrap: docker\nRegistry: registry.example.org\nFrom: team/app:1\n",
    mends: true,
  },
  {
    code: "WD042",
    path: "profile.sh",
    wrong: "export SINGULARITY_DOCKER_USERNAME=robot\nexport SINGULARITY_DOCKER_PASSWORD=$TOKEN\n",
    right: "unset SINGULARITY_DOCKER_USERNAME SINGULARITY_DOCKER_PASSWORD\n",
  },
  {
    code: "WD042",
    path: "ngc.lua",
    wrong: 'help("ngc")\nsetenv("APPTAINER_DOCKER_PASSWORD", "x")\n',
    right: 'setenv("APPTAINER_CACHEDIR", "/scratch")\n',
  },
  {
    code: "WD042",
    path: "ngc",
    wrong: "#%Module1.0\nsetenv SINGULARITY_DOCKER_PASSWORD x\n",
    right: "#%Module1.0\nsetenv SINGULARITY_CACHEDIR /scratch\n",
  },
  {
    code: "WD042",
    path: "page.md",
    wrong: "Now export the `SINGULARITY_DOCKER_USERNAME` and the password.\n",
    right: "Never export `SINGULARITY_DOCKER_USERNAME`.\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export DOCKER_CONFIG=$HOME/.docker/config.json\n",
    right: "export DOCKER_CONFIG=$HOME/.docker\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export REGISTRY_AUTH_FILE=$HOME/.config/containers\n",
    right: "export REGISTRY_AUTH_FILE=$HOME/.config/containers/auth.json\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export APPTAINER_AUTHFILE=x\n",
    right: "export APPTAINER_AUTH_FILE=x\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export SINGULARITY_AUTH_FILE=x\n",
    right: "export SINGULARITY_AUTHFILE=x\n",
  },
  {
    code: "WD045",
    path: "make.sh",
    wrong: "docker run --privileged -t singularityware/docker2singularity nvcr.io/team/app:1\n",
    right: "apptainer pull docker://nvcr.io/team/app:1\n",
  },
  {
    code: "WD050",
    path: "make.sh",
    wrong: "kubectl get secret \\ \n  --namespace team\n",
    right: "kubectl get secret \\\n  --namespace team\n",
    mends: true,
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "docker login -u robot -p $TOKEN registry.example.org\n",
    right: "docker login -u robot --password-stdin registry.example.org < token\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: 'sudo podman login --password="$(cat token)" registry.example.org\n',
    right: "podman login registry.example.org\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong:
      "kubectl create secret docker-registry pull --docker-server=registry.example.org \\\n  --docker-username=robot --docker-password=x\n",
    right: "kubectl apply --server-side -f pull.yaml\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "skopeo copy --src-creds robot:x docker://registry.example.org/a dir:a\n",
    right: "skopeo copy docker://registry.example.org/a dir:a\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "apptainer pull --docker-username robot --docker-password x docker://registry.example.org/a\n",
    right: "apptainer pull docker://registry.example.org/a\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "om team/sec/pull key add --name config.json --value x\n",
    right: "om team/sec/pull key add --name config.json --from /dev/stdin\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong:
      "runai my-credential create hub --type dockerRegistry --item user=robot,password=x,url=https://index.docker.io/v1/\n",
    right: "runai my-credential list\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "ctr image pull --user robot:x registry.example.org/a:1\n",
    right: "ctr image pull registry.example.org/a:1\n",
  },
  {
    code: "WD052",
    path: "make.sh",
    wrong: "cat ~/docker-config.json | base64\n",
    right: "cat ~/docker-config.json | base64 -w0\n",
  },
  {
    code: "WD052",
    path: "make.sh",
    wrong: "base64 ~/.docker/config.json\n",
    right: "base64 --wrap=0 ~/.docker/config.json\n",
  },
  {
    code: "WD053",
    path: "make.sh",
    wrong: 'echo "robot:$TOKEN" | base64 -w0\n',
    right: 'printf %s "robot:$TOKEN" | base64 -w0\n',
  },
  {
    code: "WD054",
    path: "make.sh",
    wrong: 'docker login -u "$oauthtoken" nvcr.io\n',
    right: "docker login -u '$oauthtoken' nvcr.io\n",
  },
  {
    code: "WD055",
    path: "job.sh",
    wrong: "#!/bin/sh\n#SBATCH --export=ALL,NGC_TOKEN=x\nsrun true\n",
    right: "#!/bin/sh\n#SBATCH --export=ALL\nsrun true\n",
  },
  {
    code: "WD060",
    path: "config.toml",
    wrong: `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.configs."docker.io".auth]\n  auth = "${GOOD}"\n`,
    right: `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.configs."registry-1.docker.io".auth]\n  auth = "${GOOD}"\n`,
    mends: true,
  },
  {
    code: "WD061",
    path: "config.toml",
    wrong:
      'version = 3\n[plugins."io.containerd.cri.v1.images".registry]\n  config_path = "/etc/containerd/certs.d"\n[plugins."io.containerd.cri.v1.images".registry.mirrors."a.example.org"]\n  endpoint = ["https://b.example.org"]\n',
    right:
      'version = 3\n[plugins."io.containerd.cri.v1.images".registry]\n  config_path = "/etc/containerd/certs.d"\n',
  },
  {
    code: "WD062",
    path: "config.toml",
    wrong: `version = 3\n[plugins."io.containerd.grpc.v1.cri".registry.configs."a.example.org".auth]\n  auth = "${GOOD}"\n`,
    right: `version = 3\n[plugins."io.containerd.cri.v1.images".registry.configs."a.example.org".auth]\n  auth = "${GOOD}"\n`,
  },
  {
    code: "WD063",
    path: "config.toml",
    wrong: `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.configs."https://a.example.org".auth]\n  auth = "${GOOD}"\n`,
    right: `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.configs."a.example.org".auth]\n  auth = "${GOOD}"\n`,
  },
  {
    code: "WD063",
    path: "registries.yaml",
    wrong: `configs:\n  "https://a.example.org":\n    auth:\n      auth: ${GOOD}\n`,
    right: `configs:\n  "a.example.org":\n    auth:\n      auth: ${GOOD}\n`,
  },
  {
    code: "WD064",
    path: "registries.yaml",
    wrong: "configs:\n  docker.io:\n    auth:\n      username: robot\n      password: Qx7pL2\n",
    right:
      'configs:\n  docker.io:\n    auth:\n      username: robot\n      password: Qx7pL2\n  "registry-1.docker.io":\n    auth: {username: "robot", password: "Qx7pL2"}\n',
    mends: true,
  },
  {
    code: "WD065",
    path: "registries.yaml",
    wrong: "configs:\n  a.example.org:\n    auth:\n      identitytoken: t-1\n",
    right: 'configs:\n  a.example.org:\n    auth:\n      identity_token: "t-1"\n',
    mends: true,
  },
  {
    code: "WD066",
    path: "registries.yaml",
    wrong:
      'configs:\n  a.example.org:\n    auth:\n      username: _json_key\n      password: |\n        {\n          "type": "x"\n        }\n',
    right: `configs:\n  a.example.org:\n    auth:\n      username: _json_key\n      password: '{"type": "x"}'\n`,
  },
  {
    code: "WD067",
    path: "hosts.toml",
    wrong: 'server = "https://a.example.org"\n[host."https://a.example.org"]\n  username = "robot"\n',
    right: 'server = "https://a.example.org"\n[host."https://a.example.org"]\n  capabilities = ["pull"]\n',
  },
  {
    code: "WD070",
    path: "svc.conf",
    wrong: "[container#0]\ntype = docker\nregistry_creds = creds-a\n",
    right: "[container#0]\ntype = docker\n",
  },
  {
    code: "WD080",
    path: "vars.yml",
    wrong: "docker_login_registries:\n- registry: docker.io\n  username: robot\n  password: '<token>'\n",
    right: `docker_login_registries:\n- registry: ${HUB}\n  username: robot\n  password: '<token>'\n`,
    mends: true,
  },
  {
    code: "WD081",
    path: "vars.yml",
    wrong: "docker_login_registries:\n- registry: nvcr.io\n  username: '$oauthtoken'\n  password: Qx7pL2\n",
    right:
      "docker_login_registries:\n- registry: nvcr.io\n  username: '$oauthtoken'\n  password: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    00\n",
  },
  {
    code: "WD082",
    path: "vars.yml",
    wrong: "docker_login_registries:\n- registry: nvcr.io\n  username: robot\n  password: 'Qx7{{pL2'\n",
    right:
      "docker_login_registries:\n- registry: nvcr.io\n  username: robot\n  password: !unsafe 'Qx7{{pL2'\n",
  },
  {
    code: "WD090",
    path: "page.md",
    wrong: `Write this:\n\n\`\`\`yaml\n${secret(wrapped(auths(good)))}\`\`\`\n`,
    right: "Write this:\n\n```yaml\nkind: Secret\ndata:\n  .dockerconfigjson: <base64>\n```\n",
  },
  {
    code: "WD090",
    path: "page.md",
    wrong: `Write this:\n\n    {"auths": {"a.example.org": {"auth": "${GOOD}"}}}\n`,
    right: 'Write this:\n\n    {"auths": {"a.example.org": {"auth": "<base64>"}}}\n',
  },
  {
    code: "WD091",
    path: "page.md",
    wrong: `The token is nvapi-${"aB3".repeat(10)}.\n`,
    right: "The token begins with nvapi-.\n",
  },
];

const codesOf = (example: Example, text: string): readonly string[] =>
  findFaults({
    path: example.path,
    bytes: Buffer.from(text),
    ...(example.mode === undefined ? {} : { mode: text === example.wrong ? example.mode : 0o600 }),
    ...(example.curl === undefined ? {} : { curl: example.curl }),
  }).map(({ code }) => code);

test("every mistake that a file can show has an example", () => {
  const shown = new Set(examples.map(({ code }) => code));
  // WD043 is about two files; test/doctor.test.ts shows it.
  expect(Object.keys(faultTable).filter((code) => !shown.has(code))).toEqual(["WD043"]);
});

for (const [index, example] of examples.entries()) {
  test(`${example.code} is found in example ${index + 1}, and not where it is right`, () => {
    if (example.code !== "WD018") {
      expect(codesOf(example, example.wrong)).toContain(example.code);
      expect(codesOf(example, example.right)).not.toContain(example.code);
    } else {
      const bytes = Buffer.from(example.wrong);
      expect(findFaults({ path: "config.json", bytes, mode: 0o644 }).map(({ code }) => code)).toEqual([
        "WD018",
      ]);
      expect(findFaults({ path: "config.json", bytes, mode: 0o600 })).toEqual([]);
    }
  });
}

test("what is mended is exactly the right file; what is not sure stays as it is", () => {
  for (const example of examples) {
    const mended = mendText({ path: example.path, bytes: Buffer.from(example.wrong) });
    const own = mended.done.filter(({ fault }) => fault.code === example.code);
    if (example.mends === true)
      expect({ code: example.code, text: text(mended.bytes) }).toEqual({
        code: example.code,
        text: example.right,
      });
    else expect({ code: example.code, mended: own.length }).toEqual({ code: example.code, mended: 0 });
  }
});

test("the table says of --fix what the rules do", () => {
  for (const [code, row] of Object.entries(faultTable)) {
    const of = examples.filter((example) => example.code === code);
    const mends = of.filter((example) => example.mends === true).length;
    if (row.mends === "no") expect({ code, mends }).toEqual({ code, mends: 0 });
    else if (code !== "WD018") expect({ code, isMended: mends > 0 }).toEqual({ code, isMended: true });
  }
});

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
