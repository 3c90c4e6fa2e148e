/** What every place promises, looped over all that there are. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, isAppError, silentLogger } from "#core";
import { createFolderPlace, createLocalPlace, createSshPlaces, type Place } from "#places";
import { findProgram, needs } from "../support/programs.ts";
import { type SshServer, startSshServer } from "../support/ssh-server.ts";
import { contentOf } from "../support/write-forever.ts";

// A busy machine takes its time over each connection.
setDefaultTimeout(60_000);

const context: Context = { signal: new AbortController().signal, log: silentLogger };
const folders: string[] = [];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "wharf-places-")));
  folders.push(folder);
  return folder;
}

/** Each place over a fresh folder; `at` is how the place names a path in it. */
const places: [string, () => { place: Place; real: string; at: (path: string) => string }][] = [
  [
    "local",
    () => {
      const home = join(makeFolder(), "home");
      mkdirSync(home, { mode: 0o700 });
      return { place: createLocalPlace({ home, env: {} }), real: home, at: (path) => `${home}/${path}` };
    },
  ],
  [
    "folder",
    () => {
      const folder = join(makeFolder(), "tree");
      mkdirSync(folder, { mode: 0o700 });
      return { place: createFolderPlace(folder), real: folder, at: (path) => `/${path}` };
    },
  ],
];

// Over SSH: the same promises, kept by a shell on the host. One sshd; each place is a host with a home of its own.
const hasSsh = findProgram("sshd") !== undefined && findProgram("ssh") !== undefined;
let server: SshServer | undefined;
let hosts = 0;
beforeAll(async () => {
  if (hasSsh) server = await startSshServer();
});
afterAll(async () => {
  await server?.stop();
});
needs("sshd", "ssh")("there is an sshd to hold the place over SSH to its promises", () => undefined);
if (hasSsh)
  places.push([
    "ssh",
    () => {
      if (server === undefined) throw new Error("the server is not up");
      const home = server.addHost(`host${++hosts}`);
      const host = { host: `host${hosts}`, user: undefined, port: undefined, text: `ssh://host${hosts}` };
      const place = createSshPlaces(server.env).open(host, { user: undefined, sudo: false });
      return { place, real: home, at: (path) => `${home}/${path}` };
    },
  ]);

const options = { mode: 0o600, folderMode: 0o700 };

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return isAppError(error) ? error.code : String(error);
  }
}

describe.each(places)("place %s", (_name, make) => {
  test("what is not there is undefined, empty, and no error to remove", async () => {
    const { place, at } = make();
    expect(await place.read(context, at("a/b/c"))).toBeUndefined();
    expect(await place.list(context, at("a/b"))).toEqual([]);
    await place.remove(context, at("a/b/c"));
  });

  test("writes, reads, lists and removes; folders and files get their modes whatever the umask", async () => {
    const { place, real, at } = make();
    await place.write(context, at("x/y/config.json"), bytes("one"), options);
    const found = await place.read(context, at("x/y/config.json"));
    expect(new TextDecoder().decode(found?.bytes)).toBe("one");
    expect(found?.mode).toBe(0o600);
    expect(statSync(join(real, "x")).mode & 0o777).toBe(0o700);
    expect(await place.list(context, at("x/y"))).toEqual(["config.json"]);
    await place.remove(context, at("x/y/config.json"));
    expect(readdirSync(join(real, "x/y"))).toEqual([]);
    expect(existsSync(join(real, "x/y"))).toBe(true);
  });

  test("an existing mode is never widened, and a wide one is tightened", async () => {
    const { place, real, at } = make();
    for (const [name, before, after] of [
      ["strict", 0o400, 0o400],
      ["wide", 0o644, 0o600],
    ] as const) {
      writeFileSync(join(real, name), "old");
      chmodSync(join(real, name), before);
      await place.write(context, at(name), bytes("new"), options);
      expect(statSync(join(real, name)).mode & 0o777).toBe(after);
      expect(readFileSync(join(real, name), "utf8")).toBe("new");
    }
  });

  test("a link within is followed to its target and stays a link, dangling or not", async () => {
    const { place, real, at } = make();
    mkdirSync(join(real, "dotfiles"), { mode: 0o700 });
    writeFileSync(join(real, "dotfiles/config.json"), "old");
    symlinkSync("dotfiles", join(real, "rel"));
    symlinkSync(join(real, "dotfiles/config.json"), join(real, "abs.json"));
    symlinkSync("dotfiles/new.json", join(real, "dangling.json"));
    await place.write(context, at("rel/config.json"), bytes("via folder"), options);
    expect(readFileSync(join(real, "dotfiles/config.json"), "utf8")).toBe("via folder");
    await place.write(context, at("abs.json"), bytes("via file"), options);
    expect(readFileSync(join(real, "dotfiles/config.json"), "utf8")).toBe("via file");
    await place.write(context, at("dangling.json"), bytes("made"), options);
    expect(readFileSync(join(real, "dotfiles/new.json"), "utf8")).toBe("made");
    await place.remove(context, at("abs.json"));
    expect(readdirSync(join(real, "dotfiles"))).toEqual(["new.json"]);
  });

  test("links and dots out of it are refused, for every operation", async () => {
    const { place, real, at } = make();
    const outside = join(real, "..", "outside");
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, "config.json"), "theirs");
    symlinkSync(outside, join(real, "abs"));
    symlinkSync("../outside", join(real, "rel"));
    symlinkSync(join(outside, "config.json"), join(real, "file"));
    symlinkSync("loop", join(real, "loop"));
    for (const path of [
      "abs/config.json",
      "rel/config.json",
      "file",
      "loop",
      "a/../../outside/config.json",
    ]) {
      if (path.startsWith("a/")) mkdirSync(join(real, "a"));
      expect(await codeOf(place.read(context, at(path)))).toBe("UNSAFE_PATH");
      expect(await codeOf(place.write(context, at(path), bytes("x"), options))).toBe("UNSAFE_PATH");
      expect(await codeOf(place.remove(context, at(path)))).toBe("UNSAFE_PATH");
    }
    expect(await codeOf(place.list(context, at("abs")))).toBe("UNSAFE_PATH");
    expect(readFileSync(join(outside, "config.json"), "utf8")).toBe("theirs");
  });

  test("a secret is not put where others may write; a certificate is", async () => {
    const { place, real, at } = make();
    mkdirSync(join(real, "open"));
    chmodSync(join(real, "open"), 0o777);
    expect(await codeOf(place.write(context, at("open/s"), bytes("x"), options))).toBe("UNSAFE_PATH");
    await place.write(context, at("open/ca.crt"), bytes("x"), { mode: 0o644, folderMode: 0o755 });
    expect(readdirSync(join(real, "open"))).toEqual(["ca.crt"]);
    // A plan asks first; folders that are still to be made make no difference, and none is made.
    for (const path of ["open/s", "open/new/below/s"])
      expect(await codeOf(place.refuseOpen?.(context, at(path)) ?? Promise.resolve())).toBe("UNSAFE_PATH");
    for (const path of ["s", "new/below/s"]) await place.refuseOpen?.(context, at(path));
    expect([readdirSync(real), readdirSync(join(real, "open"))]).toEqual([["open"], ["ca.crt"]]);
  });

  test("what is no file, and a file where a folder should be, are refused", async () => {
    const { place, real, at } = make();
    mkdirSync(join(real, "folder"));
    writeFileSync(join(real, "file"), "x");
    expect(await codeOf(place.read(context, at("folder")))).toBe("INVALID_INPUT");
    expect(await codeOf(place.write(context, at("folder"), bytes("x"), options))).toBe("INVALID_INPUT");
    expect(await codeOf(place.read(context, at("file/below")))).toBe("UNSAFE_PATH");
  });

  test("what a killed writer left is swept when it is an hour old, and not before", async () => {
    const { place, real, at } = make();
    const names = [".f.0123456789ab.tmp", ".f.ba9876543210.tmp", ".f.mine.tmp", ".g.0123456789ab.tmp"];
    for (const name of names) writeFileSync(join(real, name), "x");
    const old = new Date(Date.now() - 2 * 60 * 60 * 1000);
    for (const name of names.filter((each) => !each.includes("ba98"))) utimesSync(join(real, name), old, old);
    await place.write(context, at("f"), bytes("new"), options);
    expect(readdirSync(real).sort()).toEqual([
      ".f.ba9876543210.tmp",
      ".f.mine.tmp",
      ".g.0123456789ab.tmp",
      "f",
    ]);
  });

  test("writers at once leave one whole content and nothing else", async () => {
    const { place, real, at } = make();
    const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(10_000));
    await Promise.all(contents.map((text) => place.write(context, at("f"), bytes(text), options)));
    expect(contents).toContain(readFileSync(join(real, "f"), "utf8"));
    expect(readdirSync(real)).toEqual(["f"]);
  });
});

test("a folder place is the root of a machine whose user's home is the root", async () => {
  const folder = makeFolder();
  const place = createFolderPlace(join(folder, "tree"));
  expect(await codeOf(place.read(context, "/x"))).toBe("NOT_FOUND");
  mkdirSync(join(folder, "tree"), { mode: 0o700 });
  await place.write(
    context,
    `${(await place.facts(context)).home}/.docker/config.json`,
    bytes("{}"),
    options,
  );
  await place.write(context, "/etc/docker/certs.d/r.example:5000/ca.crt", bytes("pem"), {
    mode: 0o644,
    folderMode: 0o755,
  });
  expect(readdirSync(join(folder, "tree")).sort()).toEqual([".docker", "etc"]);
});

test("facts tell the variables that programs find logins by, and no others", async () => {
  const place = createLocalPlace({
    home: "/h",
    env: { DOCKER_CONFIG: "/x", SOME_TOKEN: "t", XDG_CONFIG_HOME: "/y" },
  });
  expect((await place.facts(context)).env).toEqual({ DOCKER_CONFIG: "/x", XDG_CONFIG_HOME: "/y" });
});

test("a program's version is read from PATH; one that is not there is undefined", async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, "fancy"), "#!/bin/sh\necho Fancy version 28.2.2, build e6534b4\n", {
    mode: 0o755,
  });
  const place = createLocalPlace({ home: folder, env: { PATH: folder } });
  expect(await place.version(context, "fancy")).toBe("28.2.2");
  expect(await place.version(context, "missing")).toBeUndefined();
  expect(await place.version(context, "../fancy")).toBeUndefined();
});

// On the host the programs of this machine are on PATH; nothing runs in a folder.
const runners = places.filter(([name]) => name !== "folder");
describe.each(runners)("running programs: %s", (name, open) => {
  const openPlace = (): Place =>
    name === "local" ? createLocalPlace({ home: makeFolder(), env: process.env }) : open().place;
  const text = (output: Uint8Array | undefined): string => new TextDecoder().decode(output);

  test("words stay words, input goes in, output and exit code come back", async () => {
    const place = openPlace();
    const script = 'cat; printf %s "$1"; echo why >&2; exit 3';
    const odd = "a b'\"$HOME`\\";
    const ran = await place.run?.(context, {
      argv: ["sh", "-c", script, "sh", odd],
      stdin: bytes("in\n\n"),
      timeoutSeconds: 30,
    });
    expect(text(ran?.stdout)).toBe(`in\n\n${odd}`);
    expect(ran?.exitCode).toBe(3);
    expect(ran?.stderr.trim()).toBe("why");
  }, 30_000);

  test("bytes of any kind both ways, and input that nobody reads does not reach the next", async () => {
    const place = openPlace();
    const all = Uint8Array.from({ length: 300_000 }, (_, index) => index % 256);
    const [same, none, last] = await Promise.all([
      place.run?.(context, { argv: ["cat"], stdin: all, timeoutSeconds: 30 }),
      place.run?.(context, { argv: ["true"], stdin: all, timeoutSeconds: 30 }),
      place.run?.(context, { argv: ["cat"], stdin: bytes("x"), timeoutSeconds: 30 }),
    ]);
    expect(Buffer.from(same?.stdout ?? "").equals(Buffer.from(all))).toBe(true);
    expect([none?.exitCode, none?.stdout.length, text(last?.stdout)]).toEqual([0, 0, "x"]);
  }, 30_000);

  test("a program that is not there is undefined; one that takes too long is ended", async () => {
    const place = openPlace();
    expect(
      await place.run?.(context, { argv: ["wharf-no-such-program"], stdin: bytes("x"), timeoutSeconds: 30 }),
    ).toBeUndefined();
    let caught: unknown;
    try {
      await place.run?.(context, { argv: ["sleep", "600"], timeoutSeconds: 1 });
    } catch (fault) {
      caught = fault;
    }
    expect(isAppError(caught, "PROGRAM_FAILED")).toBe(true);
  }, 60_000);
});

test("a writer that is killed leaves the old or the new file, never half of one", async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, "f"), "start", { mode: 0o600 });
  const random = seededRandom(20261122);
  for (let kill = 0; kill < 20; kill++) {
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "../support/write-forever.ts"), folder],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    let left = 1 + Math.floor(random() * 12);
    // A line before each write: the kill falls somewhere into one of the next.
    for await (const chunk of child.stdout) if ((left -= chunk.length) <= 0) break;
    child.kill("SIGKILL");
    await child.exited;
    const text = readFileSync(join(folder, "f"), "utf8");
    expect(text === "start" || text === contentOf(Number.parseInt(text, 10))).toBe(true);
    expect(statSync(join(folder, "f")).mode & 0o777).toBe(0o600);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o177).toBe(0);
  }
}, 60_000);

function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
