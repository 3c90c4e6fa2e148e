import { type Consumer, type ConsumerName, consumers, type Target } from "#consumers";

const anyTarget: Target = {
  home: "/home/u",
  user: "u",
  uid: 1000,
  env: {},
  version: "28.2.2",
  versions: { curl: "7.88.1" },
  realmHosts: { "b.example": ["tokens.example"] },
};

/** Programs whose versions differ in what they read are held to the law in each. */
const versions: Partial<Readonly<Record<ConsumerName, readonly string[]>>> = {
  containerd: ["1.6.20~ds1", "2.0.0", "2.4.2"],
};

type Options = Readonly<Record<string, unknown>>;

/** Options without which a consumer has no place to write to; each is held to the law. */
const neededOptions: Partial<Readonly<Record<ConsumerName, Readonly<Record<string, Options>>>>> = {
  runai: { cluster: { scope: "cluster" } },
  opensvc: {
    "2 node": { scope: "node", version: 2 },
    "2 namespace": { scope: "namespace", version: 2, namespace: "myns", name: "creds" },
    "2 podman": { scope: "namespace", version: 2, namespace: "myns", name: "creds", program: "podman" },
    "3 node": { scope: "node", version: 3, program: "podman" },
  },
};

/** Every consumer, in each version and with each kind of options that makes a difference: its label, itself, and where it is. */
export const consumerCases = consumers.flatMap(
  (consumer): readonly (readonly [string, Consumer, Target])[] => {
    const { name } = consumer;
    const needed = Object.entries(neededOptions[name] ?? {});
    if (needed.length > 0)
      return needed.map(([label, options]) => [`${name} ${label}`, consumer, { ...anyTarget, options }]);
    return (versions[name] ?? []).length === 0
      ? [[name, consumer, anyTarget]]
      : (versions[name] ?? []).map((version) => [`${name} ${version}`, consumer, { ...anyTarget, version }]);
  },
);
