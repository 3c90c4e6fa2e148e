import { expect, test } from "bun:test";
import { isPublicHost } from "./public-host.ts";

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "224.0.0.1",
  "[::1]",
  "[fe80::1]",
  "[fd00::1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[64:ff9b::7f00:1]",
  "localhost",
  "x.localhost",
  "metadata.google.internal",
  "printer",
  "nas.local",
  "router.home.arpa",
])("%s is not public", async (host) => {
  expect(await isPublicHost(host)).toBe(false);
});

test.each(["93.184.216.34", "[2606:2800:220:1::1]", "1.1.1.1"])("%s is public", async (host) => {
  expect(await isPublicHost(host)).toBe(true);
});
