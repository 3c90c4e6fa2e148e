/** The real programs that tests and benchmarks run against: what they are called, where they come from, which version. */
export interface RealProgram {
  /** What is started, and what `needs()` takes. */
  readonly name: string;
  readonly from:
    | { readonly kind: "debian"; readonly package: string }
    | { readonly kind: "go"; readonly module: string; readonly command: string; readonly version: string }
    /** A Go module of our own, a folder of the repository; `version` is that of what it is made of. */
    | { readonly kind: "own-go"; readonly folder: string; readonly version: string; readonly flags: string };
  /** Only measured with, never needed by a test: `npm test` does not install it. */
  readonly benchOnly?: true;
}

function debian(name: string, packageName: string = name): RealProgram {
  return { name, from: { kind: "debian", package: packageName } };
}

function go(name: string, module: string, command: string, version: string): RealProgram {
  return { name, from: { kind: "go", module, command, version } };
}

/** Exact versions of Go programs; Debian's are what the machine's release has. */
export const realPrograms: readonly RealProgram[] = [
  debian("dockerd", "docker.io"),
  debian("docker", "docker.io"),
  debian("podman"),
  debian("buildah"),
  debian("skopeo"),
  debian("nginx", "nginx-light"),
  debian("htpasswd", "apache2-utils"),
  debian("strace"),
  debian("curl"),
  debian("openssl"),
  debian("jq"),
  debian("mount"),
  debian("umount", "mount"),
  debian("kubectl", "kubernetes-client"),
  // Lets one of several first starts install.
  debian("flock", "util-linux"),
  // Read the completion scripts made for them.
  debian("bash"),
  debian("dash"),
  // Alpine's shell and tools, in one program that runs in an empty root.
  debian("busybox", "busybox-static"),
  debian("chroot", "coreutils"),
  debian("zsh"),
  debian("fish"),
  // User namespaces for podman and buildah where the tests are not run by root.
  debian("newuidmap", "uidmap"),
  // Hosts to deliver to, on loopback.
  debian("sshd", "openssh-server"),
  debian("ssh", "openssh-client"),
  debian("ssh-keygen", "openssh-client"),
  debian("sudo"),
  // Ansible's Vault and vars files, its inventory, and playbooks over it.
  debian("ansible", "ansible-core"),
  debian("ansible-vault", "ansible-core"),
  debian("ansible-playbook", "ansible-core"),
  debian("ansible-inventory", "ansible-core"),
  // A fleet with groups and a tree of gateways.
  debian("clush", "clustershell"),
  debian("nodeset", "clustershell"),
  // A cluster of one node, whose jobs find the logins.
  debian("slurmctld"),
  debian("slurmd"),
  ...["salloc", "sbatch", "sbcast", "scancel", "scontrol", "sinfo", "srun"].map((name) =>
    debian(name, "slurm-client"),
  ),
  debian("munged", "munge"),
  ...["unshare", "setpriv", "runuser"].map((name) => debian(name, "util-linux")),
  debian("containerd"),
  // Environment modules, of Lua and of Tcl.
  debian("lmod"),
  debian("tclsh", "tcl"),
  // Unpacks the archives that we write.
  debian("tar"),
  // Read the squashfs that we write, and write what it is measured against.
  ...["unsquashfs", "mksquashfs"].map((name) => debian(name, "squashfs-tools")),
  debian("squashfuse"),
  debian("getfattr", "attr"),
  // Unpacks the layers that we merge.
  debian("umoci"),
  ...["sqfs2tar", "tar2sqfs"].map((name) => debian(name, "squashfs-tools-ng")),
  // Read the SIF that we write: Debian's, and below the two forks of the format's own library.
  debian("siftool"),
  { ...debian("wrk"), benchOnly: true },
  // What delivery is measured against.
  { ...debian("docker-credential-pass", "golang-docker-credential-helpers"), benchOnly: true },
  { ...debian("pass"), benchOnly: true },
  { ...debian("gpg", "gnupg"), benchOnly: true },
  go(
    "conformance",
    "github.com/opencontainers/distribution-spec/conformance",
    "",
    "v0.0.0-20260831232431-97274622c111",
  ),
  go("crane", "github.com/google/go-containerregistry", "cmd/crane", "v0.22.1"),
  go("regctl", "github.com/regclient/regclient", "cmd/regctl", "v0.11.7"),
  go("oras", "oras.land/oras", "cmd/oras", "v1.3.6"),
  go("siftool-apptainer", "github.com/apptainer/sif/v2", "cmd/siftool", "v2.24.0"),
  go("siftool-sylabs", "github.com/sylabs/sif/v2", "cmd/siftool", "v2.24.2"),
  // The shell inside Apptainer and SingularityCE, which reads an image's scripts.
  go("gosh", "mvdan.cc/sh/v3", "cmd/gosh", "v3.14.1"),
  // etcd 3.6.8, kube-apiserver, kube-controller-manager, kubelet, kubectl and the kubelet's keyring, in one program.
  {
    name: "kube",
    from: {
      kind: "own-go",
      folder: "test/kube",
      version: "v1.36.3",
      // kubectl cannot parse a server's version of nothing.
      flags:
        "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36",
    },
  },
  // The newer of the two lines that nodes run; Debian's is 1.6.
  go("containerd2", "github.com/containerd/containerd/v2", "cmd/containerd", "v2.4.2"),
  {
    // Programs' own libraries, asked which login they find in a file, and a client of containerd's CRI.
    name: "readers",
    from: { kind: "own-go", folder: "test/readers", version: "v5.42.0", flags: "-s -w" },
  },
  // Distribution, the peer registry of client tests and benchmarks.
  go("registry", "github.com/distribution/distribution/v3", "cmd/registry", "v3.1.2"),
];
