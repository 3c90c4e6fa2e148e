import type { Consumer } from "../contract.ts";
import { mergeAnsible } from "./merge.ts";
import { matchAnsible } from "./reader.ts";
import { compileAnsible, emptyVarsDocument, varsFile } from "./writer.ts";

/** Ansible: DeepOps' vars file `docker_login_registries`, from which its role logs root's docker in on every node. */
export const ansible: Consumer = {
  name: "ansible",
  summary:
    "DeepOps' vars file docker_login_registries, in clear or in Ansible Vault, for its role docker-login",
  abilities: {
    scope: "registry",
    identityTokens: false,
    severalPerHost: false,
    takesEffect: { when: "on restart", of: "DeepOps' docker-login play", units: [] },
    proof:
      "real ansible-core reads the file as it was written, and ansible-vault its encryption; docker_login needs a docker daemon and a collection, and was read in its source",
  },
  compile: compileAnsible,
  merge: mergeAnsible,
  emptyDocument: emptyVarsDocument,
  files: (target) => [varsFile(target)],
  match: matchAnsible,
};
