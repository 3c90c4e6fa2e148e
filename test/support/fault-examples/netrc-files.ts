import type { FaultExample } from "./fault-example.ts";

const netrc = (...hosts: readonly string[]): string =>
  hosts.map((host) => `machine ${host} login robot password Qx7pL2\n`).join("");

/** Enroot's .credentials: lines that curl reads as netrc. */
export const netrcFileExamples: readonly FaultExample[] = [
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
];
