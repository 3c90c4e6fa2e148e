/** A rotation that is killed at any step: what is delivered then works, and it goes on or goes back. */
import { expect, test } from "bun:test";
import { beginRotation, type RotationStage, type TokenIssuer } from "#delivery";
import { rotationContext, useRotation } from "./support/use-rotation.ts";
import { wharfFromSource } from "./support/wharf-process.ts";

const it = useRotation();
const { wharf, deliver, signIn, delivered, isGood, activeTokens, goesOn, rotateInput, issuerHere, killAt } =
  it;

const STAGES: readonly RotationStage[] = [
  "begun",
  "new secret sealed",
  "proved",
  "delivered",
  "in use",
  "old secret revoked",
];

test.each(STAGES)("killed when %s, it goes on and ends well", async (stage) => {
  await deliver();
  await signIn();
  await killAt(stage);
  // Whatever is delivered at that moment works.
  expect(await isGood(delivered())).toBe(true);
  expect((await wharf("rotate team")).err).toContain("a rotation of team is under way");
  const on = await wharf("rotate team --continue");
  expect([on.code, on.out]).toEqual([0, expect.stringContaining("new secret everywhere")]);
  expect([await isGood(delivered()), await isGood(it.robot.secret), await activeTokens()]).toEqual([
    true,
    false,
    1,
  ]);
  expect(await goesOn()).toBe(false);
});

test.each(STAGES.slice(0, -1))("killed when %s, it goes back to the old secret", async (stage) => {
  await deliver();
  await signIn();
  await killAt(stage);
  const back = await wharf("rotate team --abort");
  expect([back.code, back.out]).toEqual([0, expect.stringContaining("old secret everywhere")]);
  expect(delivered()).toBe(it.robot.secret);
  expect([await isGood(it.robot.secret), await activeTokens()]).toEqual([true, 1]);
  expect(await goesOn()).toBe(false);
  expect((await wharf("check")).code).toBe(0);
});

test("when the old secret is revoked there is no way back, and it can go on", async () => {
  await deliver();
  await signIn();
  await killAt("old secret revoked");
  const back = await wharf("rotate team --abort");
  expect(back.code).toBe(4);
  expect(await isGood(delivered())).toBe(true);
  expect(await goesOn()).toBe(true);
  expect([await goesOn(), await isGood(delivered())]).toEqual([false, true]);
});

test("killed between the registry's new token and the journal, that token is revoked: nobody has its secret", async () => {
  await deliver();
  await signIn();
  const input = await rotateInput();
  const issuer = await issuerHere(input);
  const breaking: TokenIssuer = {
    ...issuer,
    async makeToken(name) {
      await issuer.makeToken(name);
      throw new Error("killed here");
    },
  };
  const broken = { ...input, findIssuer: async () => breaking };
  await expect(
    beginRotation(rotationContext, broken, "team", { kind: "issuer", issuer: breaking }),
  ).rejects.toThrow("killed here");
  expect(await activeTokens()).toBe(2);
  expect((await wharf("rotate team --continue")).code).toBe(0);
  expect([await activeTokens(), await isGood(delivered())]).toEqual([1, true]);
});

test("a process killed for real, after whichever line it printed, leaves what --continue finishes", async () => {
  await deliver();
  await signIn();
  for (const line of ["begun:", "sealed:", "proved:", "delivered:"]) {
    const before = delivered();
    const child = Bun.spawn([...wharfFromSource, "rotate", "team"], {
      cwd: it.home,
      env: { ...it.env, PATH: process.env.PATH ?? "" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    let seen = "";
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
      seen += chunk;
      if (seen.includes(line)) child.kill("SIGKILL");
    }
    await child.exited;
    expect(seen).toContain(line);
    expect(await isGood(delivered())).toBe(true);
    // It may have come to its end before the signal did.
    if (await goesOn()) expect(await goesOn()).toBe(false);
    expect(delivered()).not.toBe(before);
    expect([await isGood(delivered()), await isGood(before), await activeTokens()]).toEqual([true, false, 1]);
  }
}, 120_000);
