import type { Consumer } from "../contract.ts";
import { gitlabFile, matchGitlab } from "./reader.ts";
import { compileGitlab, mergeGitlab } from "./writer.ts";

/** GitLab CI: the value of the variable `DOCKER_AUTH_CONFIG`, as a file to put there. */
export const gitlab: Consumer = {
  name: "gitlab",
  summary: "the value of GitLab CI's variable DOCKER_AUTH_CONFIG, by which a runner pulls a job's image",
  abilities: {
    scope: "path",
    identityTokens: false,
    severalPerHost: true,
    takesEffect: { when: "now" },
    proof:
      "how the runner looks it up, from its source; its parser is docker's library, which is shown by the docker CLI; golden files",
  },
  compile: compileGitlab,
  merge: mergeGitlab,
  files: (target) => [gitlabFile(target)],
  match: matchGitlab,
};
