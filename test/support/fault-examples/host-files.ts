import type { FaultExample } from "./fault-example.ts";
import { GOOD, HUB } from "./written-logins.ts";

/** What lies on hosts and configures them: containerd, k3s, OpenSVC, Ansible. */
export const hostFileExamples: readonly FaultExample[] = [
  {
    code: "WD014",
    path: "config.toml",
    wrong: 'version = 2\n[plugins."io.containerd.grpc.v1.cri"\n',
    right: "version = 2\n[plugins]\n",
  },
  { code: "WD014", path: "registries.yaml", wrong: "configs:\n  - a.example.org\n", right: "configs: {}\n" },
  {
    code: "WD068",
    path: "config.toml.tmpl",
    wrong: 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  x = "{{ .NodeConfig }}"\n',
    right: '{{ template "base" . }}\n[plugins."io.containerd.grpc.v1.cri"]\n',
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
];
