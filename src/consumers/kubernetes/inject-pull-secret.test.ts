import { expect, test } from "bun:test";
import fc from "fast-check";
import { isAppError } from "#core";
import { type Injected, injectPullSecrets } from "./inject-pull-secret.ts";

const inject = (text: string, ...names: readonly string[]): Injected =>
  injectPullSecrets(text, "f.yaml", () => (names.length === 0 ? ["regcred"] : names));

// The seed's job: Kueue's label, generateName and comments are what people lost before.
const JOB = `apiVersion: batch/v1
kind: Job
metadata:
  generateName: train-   # each run its own
  labels:
    kueue.x-k8s.io/queue-name: gpu-queue
spec:
  template:
    spec:   # the pod
      # one container
      containers:
      - name: main
        image: "registry.example.ac.uk/team/train:1"
        command: ["sh", "-c"]
        args:
        - |
          imagePullSecrets: not here

          echo done
      restartPolicy: Never
`;

test("a Job keeps comments, generateName, labels and formatting; one list comes in", () => {
  const { text, pods } = inject(JOB);
  expect(text).toBe(
    JOB.replace(
      "    spec:   # the pod\n",
      (line) => `${line}      imagePullSecrets:\n      - name: regcred\n`,
    ),
  );
  expect(pods).toEqual([
    { kind: "Job", name: "train-*", namespace: undefined, line: 9, added: ["regcred"], kept: [] },
  ]);
  expect(inject(text)).toMatchObject({ text, pods: [{ added: [], kept: ["regcred"] }] });
});

const POD_SPEC = "containers: [{name: c, image: x}]";
test.each([
  ["Pod", `apiVersion: v1\nkind: Pod\nspec:\n  ${POD_SPEC}\n`, 1],
  ["PodTemplate", `apiVersion: v1\nkind: PodTemplate\ntemplate:\n  spec:\n    ${POD_SPEC}\n`, 1],
  [
    "Deployment",
    `apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      ${POD_SPEC}\n`,
    1,
  ],
  [
    "CronJob",
    `apiVersion: batch/v1\nkind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          ${POD_SPEC}\n`,
    1,
  ],
  [
    "a List",
    `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec:\n    ${POD_SPEC}\n- apiVersion: v1\n  kind: Service\n  spec: {ports: []}\n- apiVersion: apps/v1\n  kind: DaemonSet\n  spec: {template: {spec: {${POD_SPEC}}}}\n`,
    2,
  ],
  [
    "a custom kind",
    `apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nspec:\n  pytorchReplicaSpecs:\n    Master:\n      template:\n        spec:\n          ${POD_SPEC}\n    Worker:\n      template:\n        spec:\n          ${POD_SPEC}\n`,
    2,
  ],
  [
    "several documents",
    `# first\n---\napiVersion: v1\nkind: Pod\nspec:\n  ${POD_SPEC}\n---\n# nothing\n---\napiVersion: apps/v1\nkind: StatefulSet\nspec:\n  template:\n    spec:\n      ${POD_SPEC}\n...\n`,
    2,
  ],
  [
    "a ConfigMap with a pod as text",
    `apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    spec:\n      ${POD_SPEC}\n`,
    0,
  ],
  ["a Deployment without pods yet", "apiVersion: apps/v1\nkind: Deployment\nspec: {}\n", 0],
  ["nothing", "", 0],
  ["JSON", `{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "x"}]}}`, 1],
  [
    "JSON over lines",
    `${JSON.stringify({ apiVersion: "v1", kind: "Pod", spec: { containers: [{ image: "x" }] } }, null, 2)}\n`,
    1,
  ],
  ["Windows' line ends", `apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  ${POD_SPEC}\r\n`, 1],
])("%s", (_name, text, count) => {
  const { text: after, pods } = inject(text, "a", "b");
  expect(pods.map(({ added }) => added)).toEqual(Array.from({ length: count }, () => ["a", "b"]));
  expect(after.includes("\r\n")).toBe(text.includes("\r\n"));
  expect(inject(after, "a", "b").text).toBe(after);
  if (count === 0) expect(after).toBe(text);
});

test.each([
  ["in lines", "\n    - name: own # mine\n", "\n    - name: own # mine\n    - name: regcred\n"],
  ["at the key's own column", "\n  - name: own\n", "\n  - name: own\n  - name: regcred\n"],
  ["in brackets", " [{name: own}]\n", ' [{name: own}, {"name": "regcred"}]\n'],
  ["empty", " []\n", ' [{"name": "regcred"}]\n'],
  ["nothing behind the key", "\n", "\n  - name: regcred\n"],
  ["null", " null # none\n", " # none\n  - name: regcred\n"],
  ["has it", "\n  - name: regcred\n", "\n  - name: regcred\n"],
])("a list that is there is added to, never wiped: %s", (_name, list, after) => {
  const pod = (value: string): string =>
    `apiVersion: v1\nkind: Pod\nspec:\n  imagePullSecrets:${value}  containers:\n  - image: x\n`;
  expect(inject(pod(list)).text).toBe(pod(after));
});

test("namespaces decide: each object has names of its own", () => {
  const pod = (name: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${name}}\nspec:\n  ${POD_SPEC}\n`;
  const { pods } = injectPullSecrets(`${pod("a")}---\n${pod("b")}`, "f", ({ namespace }) =>
    namespace === "a" ? ["one"] : [],
  );
  expect(pods.map(({ name, added }) => [name, added])).toEqual([
    ["a", ["one"]],
    ["b", []],
  ]);
});

test("a template behind an anchor is edited where it stands, and all that name it have it", () => {
  const text = `apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1\n  kind: Job\n  spec:\n    template: &t\n      spec:\n        ${POD_SPEC}\n- apiVersion: batch/v1\n  kind: Job\n  spec:\n    template: *t\n`;
  const after = inject(text).text;
  const items = (Bun.YAML.parse(after) as { items: { spec: { template: { spec: object } } }[] }).items;
  for (const { spec } of items)
    expect(spec.template.spec).toMatchObject({ imagePullSecrets: [{ name: "regcred" }] });
});

test.each([
  ["a list that is none", `apiVersion: v1\nkind: Pod\nspec:\n  imagePullSecrets: x\n  ${POD_SPEC}\n`, ""],
  ["Helm's braces", "apiVersion: v1\nkind: Pod\n{{- if .Values.x }}\nspec: {}\n", ":3"],
  ["a key twice", "apiVersion: v1\nkind: Pod\nkind: Job\n", ":3"],
])("what cannot be edited is refused, with its line: %s", (_name, text, where) => {
  try {
    inject(text);
    throw new Error("it was edited");
  } catch (fault) {
    expect(isAppError(fault, "FILE_INVALID")).toBe(true);
    expect(String(fault)).toContain(`f.yaml${where}`);
  }
});

test("any manifest: the values are those of before with the names put in, or it is refused; never bytes of another line", () => {
  const comment = fc.constantFrom("", " # why", "  # imagePullSecrets:");
  const lists = fc.constantFrom(
    "",
    "imagePullSecrets:\n- name: own\n",
    "imagePullSecrets:\n  # mine\n  - name: own\n",
    "imagePullSecrets: [{name: own}, {name: regcred}]\n",
    "imagePullSecrets: []\n",
    "imagePullSecrets: ~\n",
  );
  const containers = fc.constantFrom(
    "containers:\n- name: c\n  image: x\n",
    "containers:\n  - name: c\n    args:\n    - |+\n      a: b\n\n",
    "containers: [{name: c,\n  image: x}]\n",
    "containers:\n- image: x\n  env: &e\n  - {name: A, value: '1'}\n",
  );
  const others = fc.constantFrom("", "restartPolicy: Never\n", "tolerations:\n- key: gpu\n  # any\n");
  const specs = fc
    .tuple(comment, lists, containers, others, fc.boolean())
    .map(([word, list, container, other, isFirst]) => ({
      word,
      body: isFirst ? list + container + other : other + container + list,
    }));
  const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, " ".repeat(by));
  const objects = fc.tuple(specs, fc.constantFrom("Pod", "Job", "List")).map(([{ word, body }, kind]) => {
    if (kind === "Pod") return `apiVersion: v1\nkind: Pod\nspec:${word}\n${indent(body, 2)}`;
    const job = `apiVersion: batch/v1\nkind: Job\nspec:\n  template:\n    spec:${word}\n${indent(body, 6)}`;
    if (kind === "Job") return job;
    return `apiVersion: v1\nkind: List\nitems:\n- ${indent(job, 2).trimStart()}`;
  });
  const manifests = fc.array(objects, { minLength: 1, maxLength: 3 }).map((list) => list.join("---\n"));
  let edited = 0;
  fc.assert(
    fc.property(manifests, (text) => {
      let after: Injected;
      try {
        after = inject(text);
      } catch (fault) {
        if (!isAppError(fault, "FILE_INVALID")) throw fault;
        return;
      }
      if (after.text !== text) edited++;
      const lines = after.text.split("\n");
      // Every line of before is there, in its order: lists in brackets grow in their own line.
      let at = 0;
      for (const line of text.split("\n")) {
        const grown = /^ *imagePullSecrets: (?:\[.*|~)$/.test(line);
        const found = lines.findIndex(
          (one, index) =>
            index >= at && (one === line || (grown && one.trim().startsWith("imagePullSecrets:"))),
        );
        if (found < 0) throw new Error(`lost: ${JSON.stringify(line)}\n${after.text}`);
        at = found + 1;
      }
      expect(inject(after.text).text).toBe(after.text);
      for (const { added, kept } of after.pods) expect([...kept, ...added]).toContain("regcred");
    }),
    { seed: 20261122, numRuns: 300 },
  );
  expect(edited).toBeGreaterThan(150);
}, 120_000);
