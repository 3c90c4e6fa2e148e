import { relative } from "node:path";
import { AppError, type Context } from "#core";
import {
  currentAccount,
  findProgram,
  findRoot,
  listRooted,
  type Root,
  readProgramVersion,
  readRooted,
  refuseOpenRooted,
  removeRooted,
  runProgram,
  writeRooted,
} from "#system";
import type { Place, PlaceCommand, PlaceFacts, PlaceFile, WriteOptions } from "../contract.ts";
import { MAX_OUTPUT_BYTES } from "../limits.ts";
import { programEnvironment } from "../program-environment.ts";
import { createLocalPrograms } from "./programs.ts";

/** Largest file that is read whole. No program's login file comes near it. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * This machine, as the person who runs wharf. Paths in the home may lead through links only where those stay in the home; paths outside
 * (`/etc/docker/certs.d`, `/run/user/…`) are walked from the root. `home` and `env` are the process's unless given.
 */
export function createLocalPlace(
  options: { readonly home?: string; readonly env?: Readonly<Record<string, string | undefined>> } = {},
): Place {
  const env = options.env ?? process.env;
  const account = currentAccount(env);
  const home = options.home ?? account.home;

  async function rootOf(path: string): Promise<{ root: Root; below: string }> {
    if (!path.startsWith("/")) throw new AppError("INVALID_INPUT", `${path} is not an absolute path`);
    if (path.startsWith(`${home}/`)) {
      const root = await findRoot(home);
      if (root === undefined)
        throw new AppError("NOT_FOUND", `the home folder ${home} is not there`, {
          hint: "mount or make it first",
        });
      return { root, below: relative(home, path) };
    }
    return { root: { path: "/", aliases: [], uid: 0, gid: 0 }, below: path.slice(1) };
  }

  async function write(path: string, bytes: Uint8Array, options: WriteOptions): Promise<void> {
    const { root, below } = await rootOf(path);
    // root with somebody's HOME (sudo) writes for that person, who could not read it otherwise.
    const owner = account.uid === 0 && root.uid !== 0 ? { uid: root.uid, gid: root.gid } : undefined;
    await writeRooted(root, below, bytes, owner === undefined ? options : { ...options, owner });
  }

  return {
    programs: createLocalPrograms(write),
    name: "local",
    facts(_context: Context): Promise<PlaceFacts> {
      return Promise.resolve({ home, user: account.user, uid: account.uid, env: programEnvironment(env) });
    },
    async read(_context: Context, path: string): Promise<PlaceFile | undefined> {
      const { root, below } = await rootOf(path);
      return readRooted(root, below, MAX_BYTES);
    },
    async write(_context: Context, path: string, bytes: Uint8Array, options: WriteOptions): Promise<void> {
      await write(path, bytes, options);
    },
    async refuseOpen(_context: Context, path: string): Promise<void> {
      const { root, below } = await rootOf(path);
      await refuseOpenRooted(root, below);
    },
    async remove(_context: Context, path: string): Promise<void> {
      const { root, below } = await rootOf(path);
      await removeRooted(root, below);
    },
    async list(_context: Context, path: string): Promise<readonly string[]> {
      const { root, below } = await rootOf(path);
      return listRooted(root, below);
    },
    version(context: Context, program: string): Promise<string | undefined> {
      return readProgramVersion(context, program, env["PATH"] ?? "/usr/bin:/bin");
    },
    async run(context: Context, { argv, stdin, timeoutSeconds }: PlaceCommand) {
      const [program, ...words] = argv;
      const found = findProgram(program, env["PATH"] ?? "/usr/bin:/bin");
      if (found === undefined) return undefined;
      const result = await runProgram(context, {
        argv: [found, ...words],
        env: { ...env, HOME: home, LC_ALL: "C" },
        timeoutMs: timeoutSeconds * 1000,
        maxBytes: MAX_OUTPUT_BYTES,
        ...(stdin === undefined ? {} : { stdin }),
      });
      return { ...result, stderr: result.stderr.slice(-2000) };
    },
  };
}
