import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError, Secret } from "#core";
import type { ConsumerLogin, FileDocument, MatchAnswer, Merged, Target } from "../contract.ts";
import { kubeletPlugin } from "./index.ts";
import { LOGINS_FILE } from "./paths.ts";

const target: Target = { home: "/root", user: "root", uid: 0, env: {} };
const CONFIG = "/etc/kubernetes/image-credential-providers.yaml";
const HEAD = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";
const THEIRS = `${HEAD}# the site's own
providers:
  - name: ecr-credential-provider # Amazon
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    defaultCacheDuration: "12h"
    args: [get-credentials]
# the end
`;

function login(name: string, registry: string, extra: Partial<ConsumerLogin> = {}): ConsumerLogin {
  return { name, registry, path: undefined, username: name, secret: new Secret(`${name}-word`), ...extra };
}

function configOf(...logins: readonly ConsumerLogin[]): FileDocument {
  const found = kubeletPlugin.compile(logins, target).documents.find(({ path }) => path === CONFIG);
  return found ?? { kind: "file", path: CONFIG, mode: 0o644, folderMode: 0o755, entries: [] };
}

function merge(text: string | undefined, document: FileDocument, owned: readonly string[] = []): Merged {
  return kubeletPlugin.merge(text === undefined ? undefined : Buffer.from(text), document, new Set(owned));
}

const textOf = ({ content }: Merged): string | undefined =>
  content === undefined ? undefined : Buffer.from(content).toString();

function match(config: string, logins: readonly ConsumerLogin[], image: string): MatchAnswer {
  const files = new Map([[CONFIG, Buffer.from(config)]]);
  const [document] = kubeletPlugin.compile(logins, target).documents;
  if (document !== undefined)
    files.set(LOGINS_FILE, Buffer.from(merge(undefined, document).content ?? Buffer.of()));
  return kubeletPlugin.match(files, image, target);
}

const A = login("a", "a.example");
const TEAM = login("t", "b.example:5000", { path: "team" });

test("the site's file keeps every byte, and ours goes away without a trace", () => {
  const added = merge(THEIRS, configOf(A, TEAM));
  expect(textOf(added)).toBe(
    THEIRS.replace(
      "# the end\n",
      `  - name: wharf-kubelet-provider
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages:
      - "a.example"
      - "b.example:5000/team"
    defaultCacheDuration: 5m0s
    env:
      - { name: WHARF_KUBELET_LOGINS, value: ${LOGINS_FILE} }
# the end
`,
    ),
  );
  expect(added.changes.map(({ key, action }) => [key, action])).toEqual([
    ["a.example", "add"],
    ["b.example:5000/team", "add"],
  ]);
  const one = merge(textOf(added), configOf(A), ["a.example", "b.example:5000/team"]);
  expect(textOf(one)).toBe(textOf(added)?.replace('      - "b.example:5000/team"\n', ""));
  expect(textOf(merge(textOf(one), configOf(), ["a.example"]))).toBe(THEIRS);
});

test("what somebody set in our entry stays: patterns, variables, comments", () => {
  const text = `${HEAD}providers:
- apiVersion: credentialprovider.kubelet.k8s.io/v1beta1
  name: wharf-kubelet-provider
  defaultCacheDuration: 1m
  matchImages: ["a.example", 'own.example'] # ours and theirs
  env: [{name: HTTPS_PROXY, value: "http://p"}]
`;
  const merged = merge(text, configOf(TEAM), ["a.example"]);
  expect(textOf(merged)).toBe(
    text.replace(`["a.example", 'own.example']`, `['own.example', "b.example:5000/team"]`),
  );
  // It would answer from a wharf.yaml of the node, not from what is delivered.
  expect(merged.warnings.map(({ kind, hint }) => [kind, hint])).toEqual([
    ["danger", `add to its env: { name: WHARF_KUBELET_LOGINS, value: ${LOGINS_FILE} }`],
  ]);
});

test("the first time says what the kubelet needs, and the last time that it would not start", () => {
  const added = merge(undefined, configOf(A));
  expect(added.warnings).toHaveLength(1);
  expect(added.warnings[0]?.message).toContain("--image-credential-provider-config");
  expect(merge(textOf(added), configOf(A), ["a.example"]).warnings).toEqual([]);
  const gone = merge(textOf(added), configOf(), ["a.example"]);
  expect([gone.content, gone.warnings.map(({ kind }) => kind)]).toEqual([undefined, ["danger"]]);
});

test("no secret is in the configuration, and the logins are for root alone", () => {
  const { documents } = kubeletPlugin.compile([A, TEAM], target);
  expect(documents.map(({ path, mode }) => [path, mode])).toEqual([
    [LOGINS_FILE, 0o600],
    [CONFIG, 0o644],
  ]);
  const config = textOf(merge(undefined, configOf(A, TEAM))) ?? "";
  expect(/word|auth/.test(config)).toBe(false);
});

test.each([
  ["no list", `${HEAD}x: 1\n`],
  ["another kind", "apiVersion: v1\nkind: Secret\nproviders: []\n"],
  ["a name twice", `${HEAD}providers: [{name: a}, {name: a}]\n`],
  ["a provider without a name", `${HEAD}providers: [{}]\n`],
  ["two documents", `${THEIRS}---\n${THEIRS}`],
  ["no YAML", "a: [\n"],
  ["an anchor in our list", `${HEAD}providers:\n- name: wharf-kubelet-provider\n  matchImages: *x\n`],
])("a file that the kubelet would not start with is left alone: %s", (_name, text) => {
  let code = "no error";
  try {
    merge(text, configOf(A));
  } catch (fault) {
    code = isAppError(fault) ? fault.code : String(fault);
  }
  expect(code).toBe("FILE_INVALID");
});

test.each([
  ["by its host", "a.example/x", "a"],
  ["not without its port", "b.example/team/x", "anonymous"],
  ["by its path", "b.example:5000/team/x", "t"],
  ["a repository of exactly that name", "b.example:5000/team", "t"],
  // matchImages is a prefix of text, so the plugin is asked; it knows better.
  ["not by the beginning of a name", "b.example:5000/team-b/x", "anonymous"],
  ["another plugin is asked", "1.dkr.ecr.eu.amazonaws.com/x", "ecr-credential-provider"],
])("the reader: %s", (_name, image, wanted) => {
  const config = textOf(merge(THEIRS, configOf(A, TEAM))) ?? "";
  const answer = match(config, [A, TEAM], image);
  expect(
    answer.kind === "login" ? answer.match.username : answer.kind === "helper" ? answer.helper : answer.kind,
  ).toBe(wanted);
});

test("another plugin that is asked for the same image is named", () => {
  const config = `${HEAD}providers:\n  - name: theirs\n    matchImages: ["*.example"]\n`;
  const answer = match(textOf(merge(config, configOf(A))) ?? "", [A], "a.example/x");
  expect(answer.kind === "login" && answer.match.shadows).toEqual([
    "the plugin theirs is asked too, and its answer tried next",
  ]);
});

test("in any file of the site's: ours comes, stays at a second merge, and leaves it as it was", () => {
  const patterns = fc.uniqueArray(fc.constantFrom("a.example", "*.io", "b.example:5000/x", "c.example"), {
    minLength: 1,
    maxLength: 3,
  });
  const files = fc
    .record({
      providers: fc.uniqueArray(
        fc.record({ name: fc.constantFrom("ecr", "gcp", "acr"), matchImages: patterns }),
        { minLength: 1, maxLength: 3, selector: ({ name }) => name },
      ),
      form: fc.constantFrom("json", "lines", "indented"),
      eol: fc.constantFrom("\n", "\r\n"),
      tail: fc.constantFrom("", "# end\n", "# end\nextra: 1\n"),
    })
    .map(({ providers, form, eol, tail }) => {
      if (form === "json")
        return JSON.stringify(
          { apiVersion: "kubelet.config.k8s.io/v1", kind: "CredentialProviderConfig", providers },
          null,
          2,
        );
      const indent = form === "lines" ? "" : "    ";
      const items = providers.map(
        ({ name, matchImages }) =>
          `${indent}- name: ${name}  # theirs\n${indent}  matchImages:\n${matchImages.map((one) => `${indent}  - "${one}"\n`).join("")}`,
      );
      return `${HEAD}providers:\n${items.join("")}${tail}`.replaceAll("\n", eol);
    });
  const lists = fc.uniqueArray(
    fc.record({
      registry: fc.constantFrom("a.example", "d.example:5000", "docker.io"),
      path: fc.constantFrom(undefined, "team"),
    }),
    { minLength: 1, maxLength: 4, selector: ({ registry, path }) => `${registry}/${path ?? ""}` },
  );
  fc.assert(
    fc.property(files, lists, lists, (text, first, second) => {
      const documentOf = (list: typeof first): FileDocument =>
        configOf(...list.map(({ registry, path }, index) => login(`l${index}`, registry, { path })));
      const added = merge(text, documentOf(first));
      const owned = added.changes.map(({ key }) => key);
      const again = merge(textOf(added), documentOf(first), owned);
      expect(again.changes.every(({ action }) => action === "keep")).toBe(true);
      expect(textOf(again)).toBe(textOf(added));
      const changed = merge(textOf(added), documentOf(second), owned);
      const now = changed.changes.filter(({ action }) => action !== "remove").map(({ key }) => key);
      expect(textOf(merge(textOf(changed), configOf(), now))).toBe(text);
    }),
    { seed: 20261122, numRuns: 300 },
  );
}, 120_000);
