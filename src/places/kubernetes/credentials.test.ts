import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, silentLogger } from "#core";
import { createCredentialSource } from "./credentials.ts";

const context: Context = { signal: new AbortController().signal, log: silentLogger };

test("of many that are refused at once one asks the plugin anew, and who comes late gets the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wharf-credentials-"));
  try {
    const apiVersion = "client.authentication.k8s.io/v1";
    const command = join(folder, "plugin");
    const calls = join(folder, "calls");
    const answer = `{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":{"token":"%s"}}`;
    // Its token is how often it was asked.
    const script = `#!/bin/sh\necho x >> '${calls}'\nprintf '${answer}' "$(grep -c x '${calls}')"\n`;
    writeFileSync(command, script, { mode: 0o700 });
    const plugin = { command, args: [], env: {}, apiVersion, givesCluster: false, installHint: undefined };
    const source = createCredentialSource(
      {
        server: "https://127.0.0.1:1",
        namespace: "default",
        tls: {},
        proxy: undefined,
        user: { identity: undefined, headers: {}, token: { kind: "exec", plugin } },
      },
      { PATH: process.env["PATH"] },
    );
    const first = await source.read(context);
    const second = await Promise.all(Array.from({ length: 16 }, () => source.read(context, first)));
    const late = await source.read(context, first);
    expect(new Set([...second, late].map(({ authorization }) => authorization?.reveal()))).toEqual(
      new Set(["Bearer 2"]),
    );
    expect(readFileSync(calls, "utf8")).toBe("x\nx\n");
    expect((await source.read(context, late)).authorization?.reveal()).toBe("Bearer 3");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
