/** A pull secret's file and the real kubectl: it reads what we write, and we what it writes. */
import { describe, expect } from "bun:test";
import type { ConsumerLogin } from "#consumers";
import { Secret } from "#core";
import { needs, programPath } from "../support/programs.ts";
import { runProgram } from "../support/run-program.ts";
import { base64, consumer, entry, expected, useReaders } from "../support/use-readers.ts";

const it = useReaders();
const { home, answerOf } = it;

describe("the Secret, read by the real kubectl", () => {
  needs("kubectl")("what we write is a valid object with our value", async () => {
    const target = { ...home({}), options: { name: "123", namespace: "true" } };
    const ours: ConsumerLogin = {
      name: "l",
      registry: "r.example",
      path: undefined,
      username: "u",
      secret: new Secret("p"),
    };
    const [document] = consumer("kubernetes").compile([ours], target).documents;
    if (document === undefined) throw new Error("no document");
    const path = it.scratch.at("secret.yaml");
    await Bun.write(path, consumer("kubernetes").merge(undefined, document, new Set()).content ?? "");
    const ran = await runProgram(
      [programPath("kubectl"), "label", "--local", "-f", path, "a=b", "-o", "json"],
      {
        env: { PATH: "/usr/bin:/bin", HOME: it.scratch.at("home") },
      },
    );
    const read = JSON.parse(ran.out) as {
      type: string;
      metadata: { name: string; namespace: string };
      data: Record<string, string>;
    };
    expect(read.type).toBe("kubernetes.io/dockerconfigjson");
    expect(read.metadata).toMatchObject({ name: "123", namespace: "true" });
    const config: unknown = JSON.parse(
      Buffer.from(read.data[".dockerconfigjson"] ?? "", "base64").toString(),
    );
    expect(config).toEqual({ auths: { "r.example": { auth: base64("u:p") } } });
  });

  needs("kubectl")("what kubectl writes is read, and merged into without loss", async () => {
    const file = it.scratch.at("docker.json");
    await Bun.write(file, JSON.stringify({ auths: { "a.example": entry("foreign:theirs") } }));
    const ran = await runProgram(
      [
        programPath("kubectl"),
        "create",
        "secret",
        "generic",
        "regcred",
        "--type=kubernetes.io/dockerconfigjson",
        `--from-file=.dockerconfigjson=${file}`,
        "--dry-run=client",
        "-o",
        "yaml",
      ],
      { env: { PATH: "/usr/bin:/bin", HOME: it.scratch.at("home") } },
    );
    const target = home({ "regcred.yaml": ran.out });
    expect(expected(await answerOf("kubernetes", target, "a.example/x"))).toMatchObject({
      username: "foreign",
    });
    const ours: ConsumerLogin = {
      name: "l",
      registry: "r.example",
      path: undefined,
      username: "u",
      secret: new Secret("p"),
    };
    const [document] = consumer("kubernetes").compile([ours], target).documents;
    if (document === undefined) throw new Error("no document");
    const merged = consumer("kubernetes").merge(Buffer.from(ran.out), document, new Set());
    await Bun.write(document.path, merged.content ?? "");
    for (const [image, user] of [
      ["a.example/x", "foreign"],
      ["r.example/x", "u"],
    ] as const)
      expect(expected(await answerOf("kubernetes", target, image))).toMatchObject({ username: user });
  });
});
