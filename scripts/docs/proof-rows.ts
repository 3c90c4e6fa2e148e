/** How a row of what must work (or a promise of the registry) is shown. */
export interface ProofRow {
  readonly row: string;
  /** What works. */
  readonly works: string;
  /** What it was shown against: a real program, its own library, golden files, or only tests of our own. */
  readonly against: string;
  /** The tests, in the repository. A test checks that they are there. */
  readonly tests: readonly string[];
  /** Reports with the figures of a long run, in docs/. The test of links checks that they are there. */
  readonly reports?: readonly string[];
}

/** Rows of the seeds that this version serves; those of later versions are not here. */
export const proofRows: readonly ProofRow[] = [
  {
    row: "A1",
    works:
      "a pull secret for Kubernetes, named as the user wants, in its namespaces or as a file to apply, from a config.json or another Secret too; and put into the user's own Pod or Job",
    against:
      "a real kube-apiserver 1.36.3 takes all of it, with no more rights than `wharf kube rbac` prints; a real kubelet pulls with it, in order, rotated too; its keyring code finds each login for its images",
    tests: [
      "test/kube-delivery.test.ts",
      "test/kube-sign-in.test.ts",
      "test/kube-exec-plugin.test.ts",
      "test/kube-events.test.ts",
      "test/kube-rotation.test.ts",
      "test/kubelet.test.ts",
      "test/kube-pods.test.ts",
      "src/consumers/kubernetes/inject-pull-secret.test.ts",
      "test/clients/secret-kubectl.test.ts",
      "test/clients/kubelet-keyring.test.ts",
      "src/consumers/kubernetes/kubernetes.test.ts",
    ],
  },
  {
    row: "A2",
    works: "Apptainer and SingularityCE logins; an environment module for sites that insist",
    against:
      "the library that its reader is made after (docker/cli under go-containerregistry's keychain); real Lmod loads the module, in Lua and in Tcl",
    tests: [
      "test/clients/libraries.test.ts",
      "src/consumers/apptainer/apptainer.test.ts",
      "test/contracts/consumers-golden.test.ts",
      "test/clients/environment-module.test.ts",
    ],
  },
  {
    row: "A3",
    works:
      "Enroot's .credentials, for registry host and token host; there when a Slurm job starts, and unknown to Slurm",
    against:
      "real curl with the file as its netrc; a job of a real slurmctld and slurmd 22.05, whose state, environment and processes were searched; golden files",
    tests: ["test/clients/enroot-netrc.test.ts", "src/consumers/enroot/enroot.test.ts", "test/slurm.test.ts"],
  },
  {
    row: "A4",
    works:
      "root's docker login on every node, many registries at once, nodes from the site's Ansible inventory, by its Ansible or by ssh; a personal account warned of",
    against: "real ansible-core 2.14 and OpenSSH over a real sshd, three hosts on loopback",
    tests: ["test/ansible-place.test.ts", "src/logins/site-address.test.ts", "test/guides.test.ts"],
  },
  {
    row: "A5",
    works:
      "a DeepOps docker_login_registries file, plain or in Vault: its secrets taken, and logins written into it, comments kept",
    against:
      "real ansible-core 2.14: ansible-vault both ways, and ansible-playbook reads what was written to the letter; the docker_login module itself was read in its source",
    tests: ["test/ansible-vault.test.ts", "test/ansible-vars.test.ts", "src/ansible/ansible.test.ts"],
  },
  {
    row: "A6",
    works: "a Singularity definition file's login header: found, explained as dead, its login taken over",
    against: "our own reading of the parser's source: Apptainer is not to be had as a package",
    tests: ["test/import.test.ts", "src/consumers/faults/faults.test.ts", "test/guides.test.ts"],
  },
  {
    row: "A7",
    works:
      "Run:ai cluster-wide and by department: labelled Secrets, old and new labels; clusterWideSecret looked at",
    against:
      "a real API server, with a stand-in for Run:ai's own settings; golden files; Run:ai cannot be had",
    tests: [
      "test/kube-runai.test.ts",
      "src/consumers/runai/runai.test.ts",
      "test/contracts/consumers-golden.test.ts",
    ],
  },
  {
    row: "A7, from inside the cluster",
    works:
      "check --from-target: a pod pulls an image with what was delivered, runs nothing of it, and is removed",
    against: "a real API server with Pod Security's strictest level; the kubelet's part is played",
    tests: ["test/kube-answers.test.ts"],
  },
  {
    row: "A8",
    works: "Run:ai by project: a Secret in its namespace, added to the ServiceAccount's list",
    against: "a real API server; golden files; Run:ai cannot be had",
    tests: [
      "test/kube-runai.test.ts",
      "src/consumers/runai/runai.test.ts",
      "src/consumers/kubernetes/references.test.ts",
    ],
  },
  {
    row: "A9",
    works:
      "Google's key file as the password of _json_key: whole through every consumer's writer and reader, or refused with what works",
    against: "properties over made-up key files and every consumer; the readers' own proofs are above",
    tests: ["test/contracts/google-key.test.ts"],
  },
  {
    row: "A9",
    works: "a Google entry without auths around it, as that document makes it: found, mended and imported",
    against: "an example of the document's shape; the kubelet's own code reads nothing from it",
    tests: [
      "src/consumers/found-logins/found-logins.test.ts",
      "src/consumers/faults/faults.test.ts",
      "test/import.test.ts",
    ],
  },
  {
    row: "A10",
    works:
      "robots, read-only and read/write, delivered like any login; expiring tokens, and a warning before they end",
    against: "our own registry, and the real programs of the list below",
    tests: [
      "test/cli/manage.test.ts",
      "test/delivery.test.ts",
      "test/delivery-checks.test.ts",
      "test/clients/clients.test.ts",
    ],
  },
  {
    row: "A11",
    works: "one Secret with the logins meant for it alone; a config.json as a source",
    against: "real kubectl; golden files",
    tests: ["src/consumers/kubernetes/kubernetes.test.ts", "test/contracts/consumers.test.ts"],
  },
  {
    row: "A12",
    works:
      "OpenSVC: root's login on a node; a sec object and registry_creds in its services, both generations",
    against: "golden files, and a stand-in for om; OpenSVC cannot be installed",
    tests: [
      "test/opensvc-delivery.test.ts",
      "src/consumers/opensvc/opensvc.test.ts",
      "src/consumers/opensvc/ini-text.test.ts",
    ],
  },
  {
    row: "Known mistakes",
    works:
      "every fault of the five documents found, with the right value; mended where that is sure; a cluster's ServiceAccounts and pull secrets",
    against:
      "an example of each number, wrong and right; properties for secrets in what is said; a real API server, with all rights and with few",
    tests: [
      "src/consumers/faults/faults.test.ts",
      "src/consumers/faults/properties.test.ts",
      "src/consumers/faults/cluster-faults.test.ts",
      "test/doctor.test.ts",
      "test/doctor-cluster.test.ts",
    ],
  },
  {
    row: "Import",
    works: "every format that wharf writes, and what people had before, into wharf.yaml and the vault",
    against: "our own registry proves each; each consumer's rendered file comes back as the same login",
    tests: ["test/import.test.ts", "src/consumers/found-logins/found-logins.test.ts"],
  },
  {
    row: "Hosts over SSH",
    works:
      "many hosts at once, as root, by sudo or as the person whose home it is; dead, hung, full and untrusted ones cost the others nothing",
    against:
      "a real sshd and OpenSSH on loopback (20 hosts, 200 with SLOW=1), real sudo and accounts; NFS root_squash was not had",
    tests: [
      "test/ssh-delivery.test.ts",
      "test/ssh-people.test.ts",
      "test/ssh-fleet.test.ts",
      "test/contracts/places.test.ts",
      "src/logins/ssh-address.test.ts",
    ],
    reports: ["benchmarks/hosts.md"],
  },
  {
    row: "Slurm's sbcast",
    works: "a job's nodes get the executable by it, and the login from the home's vault; no login goes by it",
    against: "a real slurmctld, slurmd and sbcast 22.05, with all that went to slurmd looked through",
    tests: ["test/slurm-sbcast.test.ts"],
  },
  {
    row: "Nodes by ClusterShell",
    works: "groups and node sets, straight and through a tree of gateways; each node with its own outcome",
    against: "real clush and nodeset 1.9 over real sshds, one of them as a gateway",
    tests: ["test/clush-place.test.ts", "src/places/clush/output.test.ts", "src/logins/site-address.test.ts"],
  },
  {
    row: "The executable on hosts",
    works:
      "helper and plugin are put on hosts where they differ, and taken away; what would not run there is refused",
    against:
      "the built executable over a real sshd: the helper answers docker's question there, the plugin the kubelet's request",
    tests: [
      "test/carried-program.test.ts",
      "test/carried-plugin.test.ts",
      "src/places/program/executable.test.ts",
    ],
  },
  {
    row: "Readers",
    works:
      "what wharf says that a program would use is what the program's own code finds, for whole files with other people's entries",
    against:
      "docker/cli 29.9.3, go.podman.io/image 5.42.0, go-containerregistry 0.22.1 and rancher/wharfie 0.7.1, asked by one small program (test/readers)",
    tests: ["test/clients/libraries.test.ts"],
  },
  {
    row: "Restarts",
    works:
      "apply --restart: one host after the other, each seen running again, stopping at the first that is not",
    against: "a real sshd; a systemctl of the test's own, since there is no systemd",
    tests: ["test/restart.test.ts"],
  },
  {
    row: "containerd",
    works:
      "a node's containerd pulls with the delivered login alone, and trusts a private CA that came with it",
    against:
      "Debian's containerd 1.6 and containerd 2.4.2 with configuration versions 2 and 3, asked through CRI as the kubelet asks; what `containerd config dump` makes of versions and imports",
    tests: ["test/clients/containerd.test.ts", "src/consumers/containerd/containerd.test.ts"],
  },
  {
    row: "Credential helper",
    works: "docker and its kin ask docker-credential-wharf: get, list, store, erase",
    against: "the real docker (login, logout too), skopeo, crane and oras",
    tests: [
      "test/clients/credential-helper.test.ts",
      "src/programs/credential-helper.test.ts",
      "test/programs.test.ts",
    ],
  },
  {
    row: "Kubelet provider",
    works: "the kubelet asks wharf-kubelet-provider for an image's login",
    against:
      "a real kubelet 1.36.3 after a delivery, and its plugin code beside another plugin; tables of requests and answers",
    tests: [
      "test/kubelet.test.ts",
      "test/clients/kubelet-plugin.test.ts",
      "src/programs/kubelet-provider.test.ts",
      "test/programs.test.ts",
    ],
  },
  {
    row: "B1",
    works: "a private registry in one command, that loses nothing by kills or a full disk",
    against: "kill -9 in the middle of parallel pushes, strace of every sync, a full tmpfs",
    tests: [
      "test/cli/serve.test.ts",
      "test/durability/kills.test.ts",
      "test/durability/sync-order.test.ts",
      "test/durability/full-disk.test.ts",
    ],
    reports: ["benchmarks/kills.md"],
  },
  {
    row: "B2",
    works: "push and pull over TLS by the registry's own name, with access control on from the first request",
    against: "the real programs of the list below; openssl and curl for the own CA",
    tests: ["test/clients/clients.test.ts", "test/server/serve-images.test.ts", "src/server/tls/tls.test.ts"],
  },
  {
    row: "B3",
    works: "a login with a username and a token; a clear answer when it has expired or was revoked",
    against: "our own client, which reads the registry's words",
    tests: [
      "src/access/authenticate.test.ts",
      "test/client-own-registry.test.ts",
      "test/registry-access.test.ts",
    ],
  },
  {
    row: "C2, C9",
    works:
      "tokens, several, named, expiring, revocable; members make robots within their role (by command line and API)",
    against: "the whole matrix of callers, actions and visibilities against a plain table",
    tests: ["src/access/authorize.test.ts", "src/api/api.test.ts", "test/cli/manage.test.ts"],
  },
  {
    row: "OCI Distribution 1.1",
    works: "all of it, and the development version of the specification",
    against: "the specification's own conformance program",
    tests: [
      "test/conformance/conformance.test.ts",
      "test/registry-blobs.test.ts",
      "test/registry-manifests.test.ts",
    ],
  },
  {
    row: "Client",
    works: "our registry client: challenge, token, retry, redirect, upload, download",
    against: "Distribution 3 as a real peer, our own registry, and scripted faults",
    tests: [
      "src/client/real-peer.test.ts",
      "test/client-own-registry.test.ts",
      "src/client/transfer.test.ts",
    ],
  },
  {
    row: "SIF",
    works:
      "an image as a SIF for Apptainer and SingularityCE: objects, variables, command, labels, architecture",
    against:
      "siftool of Debian and of both forks of the format's library; unsquashfs; dash, bash, busybox and the shell inside the runtimes run its scripts; golden files. No test starts Apptainer or SingularityCE: neither can be had",
    tests: [
      "src/images/formats/sif/sif-container.test.ts",
      "src/images/formats/sif/write-sif.test.ts",
      "src/images/formats/sif/scripts.test.ts",
      "test/images-run.test.ts",
    ],
  },
  {
    row: "Served SIF",
    works:
      "the registry makes the SIF or squashfs of a pushed image once, serves it as TAG.sif and as a referrer, and drops it with its image",
    against:
      "oras and crane pull it, siftool reads it; two servers and twenty clients at once; a worker and a server killed in the middle. No test starts Apptainer: it cannot be had",
    tests: [
      "test/jobs/served-image.test.ts",
      "test/jobs/served-processes.test.ts",
      "src/catalog/conversions.test.ts",
      "src/catalog/job-store.test.ts",
    ],
  },
  {
    row: ".sqsh",
    works: "an image as Enroot's squashfs: rc, environment, volumes, owners",
    against:
      "unsquashfs; dash, bash and busybox run its rc; golden files. No test starts Enroot: it cannot be had",
    tests: ["src/images/formats/sqsh/write-sqsh.test.ts", "test/images-run.test.ts"],
  },
  {
    row: "D3, the upload",
    works:
      "an image written to a file on another host, without a copy here; nothing left there when it is cut off",
    against:
      "OpenSSH over a real sshd; tools of GNU and of busybox there; faults in the tools and the connection",
    tests: ["src/images/sinks/ssh.test.ts", "test/pull-ssh.test.ts"],
  },
  {
    row: "D4, Pyxis",
    works:
      "the importer for Pyxis and a prolog: one conversion for all nodes of a job, each image only to those who may pull it",
    against:
      "job steps and prologs of a real slurmctld and two slurmd 22.05; 16 processes at once; two users and a group on one folder. No test starts Pyxis or a network file system",
    tests: ["test/slurm-importer.test.ts", "test/pyxis-importer.test.ts", "test/pyxis-users.test.ts"],
  },
  {
    row: "First run",
    works: "from a clone, as one executable, and from the packed archive in an empty folder",
    against: "npm, the built executable, bash, zsh and fish",
    tests: ["test/cli/launcher.test.ts", "test/cli/completion.test.ts", "test/cli/demo.test.ts"],
  },
  {
    row: "Secrets",
    works: "no secret in output, arguments, logs or files but the intended ones",
    against: "a canary, looked for after every command of the way",
    tests: ["test/delivery-secrets.test.ts", "test/server/serve-images.test.ts"],
  },
];
