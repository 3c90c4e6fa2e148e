/** `wharf watch` at a real Kubernetes API: what comes, what is changed, who works, and what ends. */
import { expect } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { runCli } from "./support/run-cli.ts";
import { until } from "./support/until.ts";
import { figure, LONG, useWatch } from "./support/use-watch.ts";
import { wharfFromSource } from "./support/wharf-process.ts";

const watch = useWatch("kube-watch");
const { kube, configure, passwordIn, pullSecrets, served } = watch;
const { withCluster } = kube;

withCluster(
  "a namespace that comes is served, with its ServiceAccount; what somebody changes or deletes is mended; one that goes is forgotten",
  async () => {
    const password = crypto.randomUUID();
    await kube.cluster.addNamespace("come-1", { team: "come" });
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: team=come }, name: come, service-accounts: [default] }',
      password,
    );
    const watching = await watch.start(["--lease", "come"]);
    await served("come-1", "come", password);
    await kube.cluster.addNamespace("come-2", { team: "come" });
    await kube.cluster.addNamespace("other", { team: "other" });
    await served("come-2", "come", password);
    const before = (await (
      await kube.cluster.request("GET", "/api/v1/namespaces/come-1/secrets/come")
    ).json()) as { metadata: { uid: string } };

    await kube.cluster.mustKubectl(["delete", "secret", "-n", "come-2", "come"]);
    await served("come-2", "come", password);
    await kube.cluster.mustKubectl([
      "patch",
      "secret",
      "-n",
      "come-1",
      "come",
      "-p",
      '{"data":{".dockerconfigjson":"e30="}}',
    ]);
    await served("come-1", "come", password);
    const after = (await (
      await kube.cluster.request("GET", "/api/v1/namespaces/come-1/secrets/come")
    ).json()) as {
      metadata: { uid: string };
    };
    expect(after.metadata.uid).toBe(before.metadata.uid);
    await kube.cluster.mustKubectl([
      "patch",
      "serviceaccount",
      "-n",
      "come-1",
      "default",
      "-p",
      '{"imagePullSecrets":[{"name":"theirs"}]}',
    ]);
    await served("come-1", "come", password);
    expect(await pullSecrets("come-1")).toEqual(["theirs", "come"]);

    // A label that comes later counts as well.
    expect(await passwordIn("other", "come")).toBeUndefined();
    await kube.cluster.mustKubectl(["label", "namespace", "other", "--overwrite", "team=come"]);
    await served("other", "come", password);

    await kube.cluster.mustKubectl(["delete", "namespace", "come-2"]);
    await until(
      "the state forgets it",
      async () => !(await Bun.file(`${watch.folder}/wharf.state`).text()).includes("/come-2/") || undefined,
      LONG,
    );
    expect(await figure(watching, "wharf_watch_leading")).toBe(1);
    expect(await figure(watching, "wharf_watch_written_total")).toBeGreaterThanOrEqual(9);
    expect((await fetch(`http://${watching.address}/readyz`)).status).toBe(200);
    expect(await watching.log()).not.toContain(password);
    watching.process.kill("SIGTERM");
    expect(await watching.process.exited).toBe(0);
  },
  5 * LONG,
);

withCluster(
  "twenty at once, and a configuration that changes on disk",
  async () => {
    const first = crypto.randomUUID();
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: team=many }, name: many, service-accounts: [default] }',
      first,
    );
    await watch.start(["--lease", "many"]);
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    await Promise.all(names.map((name) => kube.cluster.addNamespace(name, { team: "many" })));
    for (const name of names) await served(name, "many", first);
    const second = crypto.randomUUID();
    // A file that a secret is read from tells nobody; wharf.yaml and the vault are looked at.
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: team=many }, name: many, service-accounts: [default] } # new',
      second,
    );
    for (const name of names) await served(name, "many", second);
  },
  5 * LONG,
);

withCluster(
  "of two one works, and the other takes over when it is killed",
  async () => {
    const password = crypto.randomUUID();
    const delivery =
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: team=two }, name: two, service-accounts: [default] }';
    configure(delivery, password);
    const first = await watch.start(["--lease", "kube-system/two"]);
    await until(
      "the first leads",
      async () => (await figure(first, "wharf_watch_leading")) || undefined,
      LONG,
    );
    const elsewhere = `${watch.folder}/second`;
    mkdirSync(elsewhere, { mode: 0o700 });
    configure(delivery, password, elsewhere);
    const second = await watch.start(["--lease", "kube-system/two"], elsewhere);
    await kube.cluster.addNamespace("two-1", { team: "two" });
    await served("two-1", "two", password);
    expect(await figure(second, "wharf_watch_leading")).toBe(0);
    first.process.kill("SIGKILL");
    await first.process.exited;
    await until(
      "the second leads",
      async () => (await figure(second, "wharf_watch_leading")) || undefined,
      LONG,
    );
    await kube.cluster.addNamespace("two-2", { team: "two" });
    await served("two-2", "two", password);
    second.process.kill("SIGTERM");
    expect(await second.process.exited).toBe(0);
    const lease = await kube.cluster.mustKubectl(["get", "lease", "-n", "kube-system", "two", "-o", "json"]);
    const { spec } = JSON.parse(lease) as { spec: { holderIdentity: string; leaseTransitions: number } };
    expect(spec).toMatchObject({ holderIdentity: "", leaseTransitions: 1 });
  },
  5 * LONG,
);

withCluster(
  "what cannot be watched is said at once",
  async () => {
    configure('{ to: docker, at: "folder:out" }');
    const run = async (...args: readonly string[]) => {
      const child = Bun.spawn([...wharfFromSource, "watch", ...args], {
        cwd: watch.folder,
        env: watch.env,
        stderr: "pipe",
      });
      return [await child.exited, await new Response(child.stderr).text()] as const;
    };
    expect(await run()).toEqual([2, expect.stringContaining("wharf.yaml delivers to no cluster")]);
    const [code, text] = await run("--at", "folder:out");
    expect([code, text]).toEqual([1, expect.stringContaining("is no Kubernetes API")]);
    configure('{ to: kubernetes, at: "k8s://test", namespaces: [default], name: x }');
    watch.env["KUBECONFIG"] = await kube.cluster.userConfig("nobody");
    const [refused, why] = await run("--at", "k8s://test");
    expect([refused, why]).toEqual([4, expect.stringContaining("leases")]);
  },
  5 * LONG,
);

withCluster(
  "the roles that `wharf kube rbac --watch` prints are enough, with a selector and with names",
  async () => {
    for (const [index, namespaces] of ["{ selector: team=least }", "[least-1]"].entries()) {
      const password = crypto.randomUUID();
      const name = `least-${index}`;
      // The state of the other's would have its Secret pruned.
      rmSync(`${watch.folder}/wharf.state`, { force: true });
      if (index === 0) await kube.cluster.addNamespace("least-1", { team: "least" });
      await kube.cluster.mustKubectl(["create", "serviceaccount", "-n", "kube-system", name]);
      configure(
        `{ to: kubernetes, at: "k8s://test", namespaces: ${namespaces}, name: ${name}, service-accounts: [default] }`,
        password,
      );
      watch.env["KUBECONFIG"] = kube.cluster.adminConfig;
      const roles = await runCli(
        ["kube", "rbac", "--service-account", `kube-system/${name}`, "--watch", `kube-system/${name}`],
        { env: watch.env, cwd: watch.folder },
      );
      expect(roles.code).toBe(0);
      await kube.cluster.mustKubectl(["apply", "-f", "-"], {
        input: roles.out.replaceAll(": wharf-watch", `: ${name}`),
      });
      watch.env["KUBECONFIG"] = await kube.cluster.serviceAccountConfig("kube-system", name);
      // kubectl calls the context of this file by another name, if at all.
      const context = (
        await kube.cluster.mustKubectl(["config", "current-context"], { config: watch.env["KUBECONFIG"] })
      ).trim();
      configure(
        `{ to: kubernetes, at: "k8s://${context}", namespaces: ${namespaces}, name: ${name}, service-accounts: [default] }`,
        password,
      );
      const watching = await watch.start(["--lease", `kube-system/${name}`]);
      await served("least-1", name, password);
      await kube.cluster.mustKubectl(["delete", "secret", "-n", "least-1", name]);
      await served("least-1", name, password);
      if (index === 0) {
        await kube.cluster.addNamespace("least-2", { team: "least" });
        await served("least-2", name, password);
      }
      // What a role forgot is told there.
      expect(await watching.log()).not.toContain('"warn"');
      watching.process.kill("SIGTERM");
      expect(await watching.process.exited).toBe(0);
    }
  },
  5 * LONG,
);

withCluster(
  "in a cluster: the sealed part opens with its own key alone, and the manifest is one that the API server takes",
  async () => {
    await kube.cluster.addNamespace("sealed-1", { team: "sealed" });
    const password = crypto.randomUUID();
    configure(
      '{ to: kubernetes, at: "k8s://test", namespaces: { selector: team=sealed }, name: sealed, service-accounts: [default], logins: [a] }',
      password,
    );
    const config = await Bun.file(`${watch.folder}/wharf.yaml`).text();
    writeFileSync(
      `${watch.folder}/wharf.yaml`,
      config.replace(
        "deliver:",
        "  other: { registry: other.example, username: b, password: { file: none } }\ndeliver:",
      ),
      { mode: 0o600 },
    );
    const sealed = await runCli(["vault", "seal", "sealed", "--at", "k8s://test", "--json"], {
      env: watch.env,
      cwd: watch.folder,
    });
    expect(JSON.parse(sealed.out)).toMatchObject({
      files: ["key", "wharf.vault", "wharf.yaml"],
      logins: ["a"],
      writer: null,
    });
    expect((await runCli(["vault", "seal", "sealed"], { env: watch.env, cwd: watch.folder })).code).not.toBe(
      0,
    );
    for (const name of ["wharf.yaml", "wharf.vault", "key"])
      expect(await Bun.file(`${watch.folder}/sealed/${name}`).text()).not.toContain(password);

    const manifest = await runCli(["kube", "controller", "--image", "registry.example/wharf:1"], {
      env: watch.env,
      cwd: watch.folder,
    });
    expect(manifest.code).toBe(0);
    await kube.cluster.mustKubectl(["apply", "-f", "-"], { input: manifest.out });
    watch.env["KUBECONFIG"] = await kube.cluster.serviceAccountConfig("wharf", "wharf-watch");
    watch.env["HOME"] = `${watch.folder}/home`;
    // As the Deployment runs it, but for the address of the API server.
    chmodSync(`${watch.folder}/sealed/key`, 0o440);
    const watching = await watch.start(
      [
        "-c",
        "wharf.yaml",
        "--work",
        `${watch.folder}/work`,
        "--at",
        "k8s://test",
        "--lease",
        "wharf/wharf-watch",
      ],
      `${watch.folder}/sealed`,
    );
    await served("sealed-1", "sealed", password);
    await kube.cluster.addNamespace("sealed-2", { team: "sealed" });
    await served("sealed-2", "sealed", password);
    expect(await watching.log()).not.toContain('"warn"');
    watching.process.kill("SIGTERM");
    expect(await watching.process.exited).toBe(0);
    watch.env["HOME"] = watch.folder;
    expect(
      (await runCli(["vault", "seal", "second", "--in-cluster"], { env: watch.env, cwd: watch.folder })).code,
    ).toBe(0);
    expect(await Bun.file(`${watch.folder}/second/wharf.yaml`).text()).toContain("at: k8s://,");
  },
  5 * LONG,
);
