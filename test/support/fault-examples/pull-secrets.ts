import type { FaultExample } from "./fault-example.ts";
import { auths, encoded, GOOD, good, json, pair, secret, wrapped } from "./written-logins.ts";

/** Kubernetes Secrets with logins in them. */
export const pullSecretExamples: readonly FaultExample[] = [
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
    path: "secret.yaml",
    wrong: secret(encoded(auths({ "a.example.org": { auth: pair("robot", ""), identitytoken: "t-1" } }))),
    right: secret(encoded(auths(good))),
  },
  {
    code: "WD014",
    path: "secret.yaml",
    wrong: "kind: Secret\n\tdata: {\n",
    right: secret(encoded(auths(good))),
  },
  {
    code: "WD017",
    path: "secret.yaml",
    wrong: secret(encoded(auths({ "a.example.org/team": { auth: GOOD } }))),
    right: secret(encoded(auths({ "a.example.org/team/": { auth: GOOD } }))),
  },
  {
    code: "WD028",
    path: "secret.yaml",
    wrong: secret(encoded(auths(good)), undefined, "  labels:\n    run.ai/cluster-wide: true\n"),
    right: secret(encoded(auths(good)), undefined, '  labels:\n    run.ai/cluster-wide: "true"\n'),
    mends: true,
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
    code: "WD026",
    path: "secret.yaml",
    wrong: secret(
      encoded(auths(good)),
      undefined,
      `  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{"data":{".dockerconfigjson":"x"}}'\n`,
    ),
    right: secret(encoded(auths(good))),
  },
];
