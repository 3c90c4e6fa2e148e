import { expect, test } from "bun:test";
import { UploadGate } from "./upload-gate.ts";

test("one account cannot take all the places; what ends gives its place back", async () => {
  const gate = new UploadGate(4);
  const slow = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const running = slow.map(({ promise }) => gate.pass("user 1", () => promise));
  const quick = (account: string) => gate.pass(account, () => Promise.resolve("done"));
  await expect(quick("user 1")).rejects.toMatchObject({ code: "BUSY" });
  expect(await quick("robot 2")).toBe("done");

  slow[0]?.reject(new Error("the sender went away"));
  await expect(running[0]).rejects.toThrow("the sender went away");
  expect(await quick("user 1")).toBe("done");
  expect(await quick("user 1")).toBe("done");
  slow[1]?.resolve();
  await running[1];
});

test("all places together are bounded, whoever holds them", async () => {
  const gate = new UploadGate(2);
  const slow = Promise.withResolvers<void>();
  const running = ["user 1", "user 2"].map((account) => gate.pass(account, () => slow.promise));
  await expect(gate.pass("user 3", () => Promise.resolve())).rejects.toMatchObject({ code: "BUSY" });
  slow.resolve();
  await Promise.all(running);
});
