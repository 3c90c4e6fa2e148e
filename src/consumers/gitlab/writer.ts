import { renderEntry } from "../auth-entry.ts";
import { type AuthFileRules, authsOf, mergeAuthFile } from "../auth-file.ts";
import type { Compiled, ConsumerLogin, FileDocument, Merged, Target, Warning } from "../contract.ts";
import { refuseForm, refuseTwins, scopeOf } from "../coverage.ts";
import { HUB_KEY, mistypedSection, unreadableEntries } from "../docker/docker-config.ts";
import type { JsonObject } from "../json-text.ts";
import { compileCertificates } from "../whole-file.ts";
import { gitlabFile, lookedUpAs, namesHelpers } from "./reader.ts";

/** One entry for each login: a path is looked up segment by segment, the longest first. */
export function compileGitlab(logins: readonly ConsumerLogin[], target: Target): Compiled {
  // The Kubernetes executor makes a pull secret of the entry, and the kubelet reads no identity tokens.
  const formed = refuseForm(logins, { consumer: "gitlab's kubernetes executor", identityTokens: false });
  const placed = refuseTwins(formed.kept);
  const entries = placed.kept.map((login) => ({
    key: login.registry === "docker.io" && login.path === undefined ? HUB_KEY : scopeOf(login),
    login: login.name,
    content: renderEntry(login),
  }));
  const certificates = compileCertificates(placed.kept, target, {
    consumer: "the runner's docker",
    path: () => undefined,
    hint: () => "give the machine of the runner the certificate: deliver to docker there",
  });
  const file: FileDocument = {
    kind: "file",
    path: gitlabFile(target),
    mode: 0o600,
    folderMode: 0o700,
    entries,
  };
  return {
    documents: entries.length === 0 ? [] : [file],
    refusals: [...formed.refusals, ...placed.refusals],
    warnings: certificates.warnings,
  };
}

export function mergeGitlab(
  current: Uint8Array | undefined,
  document: FileDocument,
  owned: ReadonlySet<string>,
): Merged {
  return mergeAuthFile(current, document, owned, gitlabRules);
}

const gitlabRules: AuthFileRules = {
  inspect: (root, document) => [...unreadable(root, document), ...rivals(root, document)],
};

function unreadable(root: JsonObject, document: FileDocument): readonly Warning[] {
  const bad = mistypedSection(root) ?? unreadableEntries(root)[0];
  const helper = namesHelpers(root);
  return [
    ...(bad === undefined
      ? []
      : [
          {
            kind: "danger" as const,
            message: `${document.path}: ${bad} cannot be decoded, so the runner reads nothing of the value, in silence`,
            hint: "mend or remove it",
          },
        ]),
    ...(helper === undefined
      ? []
      : [
          {
            kind: "danger" as const,
            message: `${document.path}: ${helper} names a helper, which the runner runs too; where it fails, nothing of the value is read`,
            hint: `remove ${helper} from the value`,
          },
        ]),
  ];
}

/** Entries of somebody's that take images of ours: another spelling of the same, or a longer path. */
function rivals(root: JsonObject, document: FileDocument): readonly Warning[] {
  const ours = new Set(document.entries.map((entry) => entry.key));
  const foreign = (authsOf(root)?.members ?? []).map((member) => member.key).filter((key) => !ours.has(key));
  return document.entries.flatMap((entry) => {
    const wanted = lookedUpAs(entry.key);
    return foreign
      .filter((key) => lookedUpAs(key) === wanted || lookedUpAs(key).startsWith(`${wanted}/`))
      .map(
        (key): Warning => ({
          kind: "shadowed",
          login: entry.login,
          message: `${document.path}: the entry ${key}, which wharf did not write, is taken for some of these images`,
          hint: "remove it if it is old",
        }),
      );
  });
}
