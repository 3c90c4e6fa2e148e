import type { Consumer } from "../contract.ts";
import { type Distribution, registriesPath, templatePaths } from "./paths.ts";
import { matchRegistries } from "./reader.ts";
import { compileRegistries, mergeRegistries } from "./writer.ts";

const UNITS: Readonly<Record<Distribution, readonly string[]>> = {
  k3s: ["k3s.service", "k3s-agent.service"],
  rke2: ["rke2-server.service", "rke2-agent.service"],
};

/** k3s or RKE2: one code base, two names. */
export function createRegistriesConsumer(distribution: Distribution): Consumer {
  return {
    name: distribution,
    summary: `registries.yaml of ${distribution === "k3s" ? "k3s" : "RKE2"}, on each node, with the CA`,
    abilities: {
      scope: "registry",
      identityTokens: true,
      severalPerHost: false,
      takesEffect: { when: "on restart", of: distribution, units: UNITS[distribution] },
      proof:
        "decoding is held to rancher/wharfie 0.7.1, the library of both, over random logins in random files; how containerd looks it up was seen in real pulls by containerd; golden files",
    },
    compile: (logins, target) => compileRegistries(distribution, logins, target),
    merge: mergeRegistries,
    files: (target) => [registriesPath(distribution, target), ...templatePaths(distribution)],
    match: (files, image, target) => matchRegistries(distribution, files, image, target),
  };
}
