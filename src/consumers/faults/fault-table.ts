/** What the reference says of a mistake. A code is never given to another one. */
export interface FaultRow {
  readonly title: string;
  /** What programs make of it. */
  readonly happens: string;
  readonly right: string;
  /** Does `--fix` mend it in a file: always, where the right value is sure, or never. */
  readonly mends: "yes" | "where sure" | "no";
}

function row(title: string, happens: string, right: string, mends: FaultRow["mends"] = "no"): FaultRow {
  return { title, happens, right, mends };
}

/** Every mistake that `wharf doctor` knows. docs/reference/doctor.md is made from this. */
export const faultTable = {
  // JSON files of logins: docker's config.json, podman's auth.json, apptainer's docker-config.json, the kubelet's, and what is in a Secret.
  WD001: row(
    "Docker Hub under a key that is never looked up",
    "docker looks under one key alone and pulls anonymously; the kubelet does not know registry-1.docker.io",
    "`https://index.docker.io/v1/` in files that docker or Apptainer reads, `docker.io` in others",
    "yes",
  ),
  WD002: row(
    "only keys with a path for a registry",
    "docker and Apptainer cut the path off and take one of them at random for the whole registry",
    "an entry under `host[:port]` itself; podman and the kubelet know paths",
  ),
  WD003: row(
    "an `auth` without a username",
    "docker refuses the whole file, and reads the entries before it or not by chance",
    "`user:secret`; beside an identity token `00000000-0000-0000-0000-000000000000:`",
    "where sure",
  ),
  WD004: row(
    "an `auth` that is not base64",
    "docker stops in the middle of the file, podman fails, and the kubelet fails every pull of the pod",
    "padded standard base64 of `user:secret`",
    "where sure",
  ),
  WD005: row(
    "an `auth` without a colon",
    "docker stops in the middle of the file, and the kubelet fails every pull of the pod",
    "base64 of `user:secret`, not of the secret alone",
    "where sure",
  ),
  WD006: row(
    "entries without `auths` around them",
    "the API server takes it, and kubelet, docker and podman read no login from it, silently",
    '`{"auths": {…}}`',
    "yes",
  ),
  WD007: row(
    "`username` and `password` without `auth`",
    "docker and the kubelet read the pair; podman, skopeo, buildah and CRI-O do not",
    "`auth`: base64 of `user:secret`",
    "yes",
  ),
  WD008: row(
    "a secret that ends in a line break",
    "`echo` added it before base64; it is sent as part of the password",
    "the secret alone (`printf %s`)",
    "yes",
  ),
  WD009: row(
    "an entry that a credential helper hides",
    "docker asks the helper of `credHelpers` or `credsStore` and does not read the entry",
    "the login in the helper, or no helper for that registry",
  ),
  WD010: row(
    "logins that are in a credential helper, not in the file",
    "`credsStore` is read by docker and Apptainer alone; a copy of the file, a Secret above all, holds no login",
    "the entries themselves, made from the logins that are meant for it",
  ),
  WD011: row(
    "an empty entry",
    "the kubelet sends an empty login for it; other programs find none",
    "no entry at all, or one with `auth`",
    "where sure",
  ),
  WD012: row(
    "an identity token where it is not read",
    "the kubelet passes identity tokens over; podman passes them over where no `auth` with a colon stands beside",
    "a password or token of the registry; for podman `auth` of `user:` beside the token",
    "where sure",
  ),
  WD013: row(
    "a key that fits no image",
    "a slash at the end, `/v2` without one, a tag or a digest: programs compare it with a name that it never is",
    "`host[:port]`, with `/path` where the program knows paths",
    "where sure",
  ),
  WD014: row(
    "a file that does not parse",
    "podman fails, docker goes on with what it read and its next `docker login` may overwrite the rest, Apptainer pulls anonymously",
    "JSON, or no file: an empty one is a fault too",
  ),
  WD015: row(
    "a username with a colon",
    "`user:secret` is split at the first colon: the rest goes to the secret",
    "a username without a colon",
  ),
  WD016: row(
    "one registry under two spellings with different logins",
    "which of them is sent depends on the program",
    "one entry",
  ),
  WD017: row(
    "a path key that serves other names too",
    "the kubelet compares text: `host/team` is sent for `host/team-b/app` as well",
    "`host/team/` in a pull secret; a repository of exactly that name needs it without the slash",
  ),
  WD018: row(
    "logins that others on the machine can read",
    "no program checks or mends the mode: docker leaves 0644 as it is",
    "mode 0600, owned by its reader",
    "yes",
  ),
  WD019: row(
    "NGC's username in another spelling",
    "nvcr.io wants the literal `$oauthtoken`: without the `$`, or with the escape that a shell or Compose needs, it refuses the key",
    "`$oauthtoken`, in the file as it is",
    "where sure",
  ),
  // Kubernetes, Run:ai.
  WD020: row(
    "base64 broken into lines",
    "`base64` breaks lines at 76 columns; in YAML the breaks become spaces, and the API server refuses the Secret",
    "one line (`base64 -w0`)",
    "yes",
  ),
  WD021: row(
    "labels at the wrong depth",
    "a line at the same depth as `labels:` is not one of the labels: the Secret has none, and nothing selects it",
    "the label indented below `labels:`",
    "yes",
  ),
  WD022: row(
    "a pull secret whose value is not base64 of JSON",
    "the API server refuses it",
    "base64 of the whole JSON, on one line",
  ),
  WD023: row(
    "a pull secret of another type",
    "the kubelet reads `.dockerconfigjson` only where the type says so, and the type cannot be changed later",
    "`type: kubernetes.io/dockerconfigjson`",
    "where sure",
  ),
  WD024: row(
    "a whole config.json as a pull secret",
    "every other login of that person goes to the namespace with it; with `credsStore` none does",
    "a Secret made from the logins that are meant for it",
  ),
  WD025: row(
    "Run:ai's old label",
    "newer versions look for other labels: nothing is propagated",
    '`run.ai/cluster-wide: "true"` and `run.ai/resource: docker-registry`',
    "where sure",
  ),
  WD026: row(
    "a copy of the secret in an annotation",
    "client-side `kubectl apply` keeps the whole Secret in `last-applied-configuration`",
    "`kubectl apply --server-side`, and the annotation removed",
  ),
  WD027: row(
    "a patch that replaces the pull secrets of a ServiceAccount",
    "the list has no merge rule: what others put there is gone",
    "read, append, write back with the resourceVersion",
  ),
  WD028: row(
    "a label's value that is no text",
    "YAML takes `true` and `1` for a truth and a number, and the API server refuses the object",
    '`"true"` in quotes',
    "yes",
  ),
  WD029: row(
    "Docker Hub's two names in one pull secret",
    "the kubelet looks under `index.docker.io` only where nothing under `docker.io` fits: an entry for a part of Hub hides the login for all of it",
    "all of Docker Hub under `docker.io`",
    "where sure",
  ),
  // Enroot's .credentials.
  WD030: row(
    "no line for the registry's own host",
    "Enroot looks the user up under the registry: without that line it pulls anonymously",
    "a line for each: Docker Hub is `registry-1.docker.io` and `auth.docker.io`",
    "yes",
  ),
  WD031: row(
    "no line for the host that hands out tokens",
    "curl finds no password for it: none is sent, and the pull ends with 401",
    "a line for each: nvcr.io and `authn.nvidia.com`, registry.gitlab.com and `gitlab.com`",
    "yes",
  ),
  WD032: row(
    "a port behind the host",
    "Enroot strips the port before it looks: the line is never found",
    "`machine host`",
    "yes",
  ),
  WD033: row(
    "a password that begins with `$`",
    "Enroot gives it to a shell: it becomes empty, or runs as a command",
    "in double quotes, where curl is 7.84 or newer",
    "where sure",
  ),
  WD034: row(
    "a password that is cut off",
    'curl ends it at a space, and takes one that begins with `#` or a single `"` for something else',
    "in double quotes, where curl is 7.84 or newer",
    "where sure",
  ),
  WD035: row(
    "a quoted password and an old curl",
    "curl before 7.84 sends the quotes with it",
    "a secret that needs no quotes, or a newer curl on the compute nodes",
  ),
  WD036: row(
    "a line in another form than Enroot reads",
    "Enroot wants `machine HOST login USER password SECRET` on one line, in this order, at the margin; `default` is not read",
    "one such line for each host",
    "where sure",
  ),
  WD037: row(
    "a username that is quoted or escaped",
    "Enroot takes the username to the letter, and as a pattern: quotes, backslashes, `*` and `[` do not fit themselves",
    "the bare name: `$oauthtoken` is safe as it is",
    "where sure",
  ),
  WD038: row(
    "two users for one host",
    "the first line wins, for both",
    "one line, or the user in the image's name and the right line first",
  ),
  // Apptainer, SingularityCE, variables.
  WD040: row(
    "a login in a definition file's header",
    "Singularity 2.x read `Username:` and `Password:`; Apptainer and SingularityCE stop with `invalid header keyword found`",
    "no such lines; the login in docker-config.json",
    "yes",
  ),
  WD041: row(
    "a definition file without `Bootstrap: docker`",
    "`From: Docker` was never a bootstrap agent; nothing is built",
    "`Bootstrap: docker`, then `From: namespace/image:tag`",
    "where sure",
  ),
  WD042: row(
    "a login in *_DOCKER_USERNAME and *_DOCKER_PASSWORD",
    "the one pair goes to every registry, public pulls fail with it, and Slurm and Pyxis copy it",
    "docker-config.json (`wharf apply` to apptainer)",
  ),
  WD043: row(
    "Apptainer's own file hides docker's",
    "once `~/.apptainer/docker-config.json` is there, even `{}`, docker's config.json is not read",
    "every login that Apptainer needs in its own file",
  ),
  WD044: row(
    "a variable that means something else",
    "DOCKER_CONFIG names a folder, REGISTRY_AUTH_FILE a file; SingularityCE knows SINGULARITY_AUTHFILE, Apptainer APPTAINER_AUTH_FILE",
    "the name and the kind that the program reads",
  ),
  WD045: row(
    "docker2singularity",
    "needs Docker, root's socket and another machine; Apptainer and SingularityCE pull private images by themselves",
    "`apptainer pull docker://…` with its login delivered",
  ),
  WD046: row(
    "DOCKER_AUTH_CONFIG with more than docker reads",
    "docker refuses the whole variable for one field too many, GitLab does not: then docker goes on to the file",
    '`{"auths": {"host": {"auth": …}}}` and nothing else',
  ),
  // Command lines.
  WD050: row(
    "a space behind the backslash at the end of a line",
    "the shell takes an argument of one space and ends the command there",
    "the backslash as the very last character",
    "yes",
  ),
  WD051: row(
    "a secret on a command line",
    "every user of the machine sees it, and the shell's history keeps it",
    "standard input, or a file of mode 0600",
  ),
  WD052: row(
    "`base64` that breaks lines",
    "at 76 columns; a Secret with the breaks in it is refused",
    "`base64 -w0`",
  ),
  WD053: row(
    "`echo` into `base64`",
    "the line break that echo adds is encoded with the login",
    "`printf %s`",
  ),
  WD054: row(
    "`$oauthtoken` that the shell expands",
    "unquoted or in double quotes it is an empty variable: the username is empty",
    "`'$oauthtoken'` in single quotes",
  ),
  WD055: row(
    "a secret in a Slurm job",
    "the script and the exported environment are kept by slurmctld, and in accounting where that is set",
    "a file in the home, mode 0600",
  ),
  WD056: row(
    "a login that ends within hours, in a file",
    "tokens of ECR, Azure, Google and of a CI job are stale before anybody looks; a stale one breaks public pulls of its registry too",
    "a robot's or a service account's login, or a source that asks for a new token (`password: { exchange: ecr }`)",
  ),
  WD057: row(
    "a token that has ended",
    "the secret is a token that says when it ends, and that is past: each pull that it is sent with is refused, of public images too",
    "a new one, or a login that does not end; `expires:` in wharf.yaml has it told in time",
  ),
  // containerd, k3s, RKE2.
  WD060: row(
    "Docker Hub under a name that containerd does not contact",
    "the key is the host that is contacted: docker.io is rewritten first",
    "`registry-1.docker.io`",
    "where sure",
  ),
  WD061: row(
    "mirrors beside config_path",
    "containerd does not start its CRI plugin with both",
    "one of them",
  ),
  WD062: row(
    "registry settings under another version's plugin",
    "version 3 reads `io.containerd.cri.v1.images`, version 2 `io.containerd.grpc.v1.cri`: the other is passed over in silence",
    "the plugin of the file's version",
  ),
  WD063: row("a URL or a path as a key", "the key is compared with `host[:port]`", "`host[:port]` alone"),
  WD064: row(
    "Docker Hub under one spelling in registries.yaml",
    "k3s and RKE2 before 1.32.7 and 1.33.3 look under registry-1.docker.io alone",
    "both `docker.io` and `registry-1.docker.io`",
    "yes",
  ),
  WD065: row(
    "identitytoken in registries.yaml",
    "the key is passed over: YAML has it with an underscore",
    "`identity_token`",
    "yes",
  ),
  WD066: row(
    "a key file with line breaks in registries.yaml",
    "the rendered containerd file breaks at them",
    "the JSON on one line, or `auth`",
  ),
  WD067: row(
    "a login in hosts.toml",
    "hosts.toml has no fields for one: it is passed over",
    "the login in config.toml, or from the kubelet",
  ),
  WD068: row(
    "a template of k3s or RKE2 that drops every login",
    "registries.yaml is rendered into containerd's file by the template: one without that part drops all logins in silence",
    '`{{ template "base" . }}` in it',
  ),
  // OpenSVC, Ansible.
  WD070: row(
    "registry_creds under OpenSVC 3",
    "the keyword is accepted, and nothing reads it: the pull uses root's own login",
    "root's config.json and auth.json on each node, beside the sec object",
  ),
  WD080: row(
    "docker.io in docker_login_registries",
    "the Ansible module writes the key as it is, and docker looks for Hub's elsewhere: pulls stay anonymous",
    "`https://index.docker.io/v1/`",
    "yes",
  ),
  WD081: row(
    "a password in clear in a vars file",
    "whoever reads the repository has it",
    "the file or the value in Ansible Vault, or the login in wharf's vault",
  ),
  WD082: row(
    "a value that Ansible takes for a template",
    "`{{` and `{%` are evaluated: the secret that arrives is another",
    "`!unsafe` before the value",
  ),
  // Texts.
  WD090: row(
    "a login that can be decoded from a text",
    "base64 is no encryption: whoever reads the document has it",
    "a placeholder; and the secret replaced at its registry",
  ),
  WD091: row(
    "a token in a text",
    "it looks like the real token of a known maker",
    "a placeholder; and the token replaced where it was made",
  ),
  // In a cluster: what its objects make of each other.
  WD100: row(
    "a pull secret that is not there",
    "a ServiceAccount names it, the kubelet passes it over, and pods pull without a login",
    "the Secret in the same namespace, or its name taken off the list",
  ),
  WD101: row(
    "a pull secret that is named twice",
    "a JSON patch was applied again: the list grows with every run, up to what the API server takes",
    "each name once",
  ),
  WD102: row(
    "a pull secret that holds no logins",
    "a ServiceAccount names a Secret of another type, or one whose data lie under another key: the kubelet passes it over",
    "type `kubernetes.io/dockerconfigjson` with the key `.dockerconfigjson`; the type of a Secret cannot be changed",
  ),
  WD103: row(
    "one registry in two pull secrets, with different logins",
    "the kubelet tries one after the other: with each pull the first is refused, which registries count",
    "one login for a registry in the Secrets of a ServiceAccount",
  ),
  WD104: row(
    "a label of Run:ai where Run:ai does not look",
    "Secrets for the cluster or a department are copied from the namespace `runai` alone",
    "the Secret in the namespace `runai`, or `run.ai/credentials` in the project's own",
  ),
} as const satisfies Record<string, FaultRow>;

export type FaultCode = keyof typeof faultTable;
