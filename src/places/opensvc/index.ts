import { AppError, type Context, type KeyPath, parseKeyPath } from "#core";
import type { CommandResult, Place, PlaceCommand } from "../contract.ts";
import { hasKey, objectFile } from "./object-file.ts";

/** Time for one `om`: it may wait for the daemon. */
const OM_SECONDS = 45;

/**
 * A node of an OpenSVC cluster: the keys of its `sec` objects are files at paths of #core's `renderKeyPath`, read and written by the node's own
 * `om`, since only the daemon's code has the cluster's secret; all else is the place's. Values go in on standard input and come out on
 * standard output, never as a word. An object that is missing is made; none is removed. A place that runs nothing is given back as it is.
 */
export function withOpensvcObjects(place: Place): Place {
  const run = place.run?.bind(place);
  if (run === undefined) return place;

  async function om(context: Context, doing: string, command: Omit<PlaceCommand, "timeoutSeconds">) {
    const result = await run?.(context, { ...command, timeoutSeconds: OM_SECONDS });
    if (result === undefined)
      throw new AppError("NOT_FOUND", `${doing}: there is no om on ${place.name}`, {
        hint: "deliver to a node of the OpenSVC cluster, as root",
      });
    return result;
  }

  async function find(context: Context, key: KeyPath): Promise<"object" | "key" | undefined> {
    const file = await place.read(context, objectFile(key));
    if (file === undefined) return undefined;
    return hasKey(new TextDecoder().decode(file.bytes), key.key) ? "key" : "object";
  }

  return {
    ...place,
    async read(context, path) {
      const key = parseKeyPath(path);
      if (key === undefined) return await place.read(context, path);
      if ((await find(context, key)) !== "key") return undefined;
      const result = await om(context, `reading ${nameOf(key)}`, { argv: keyCommand(key, "decode") });
      if (result.exitCode !== 0) throw failed(`reading ${nameOf(key)} on ${place.name}`, result);
      return { bytes: result.stdout, mode: 0o600, uid: 0, gid: 0 };
    },
    async write(context, path, bytes, options) {
      const key = parseKeyPath(path);
      if (key === undefined) {
        await place.write(context, path, bytes, options);
        return;
      }
      const doing = `writing ${nameOf(key)}`;
      if ((await find(context, key)) === undefined) {
        const made = await om(context, doing, { argv: ["om", objectOf(key), "create"] });
        if (made.exitCode !== 0) throw failed(`${doing} on ${place.name}`, made);
      }
      // `add` fails where the key is there in one generation and not in the other; `change` makes it in both.
      const argv = [...keyCommand(key, "change"), "--from", "/dev/stdin"] as const;
      const result = await om(context, doing, { argv: ["om", ...argv.slice(1)], stdin: bytes });
      if (result.exitCode !== 0) throw failed(`${doing} on ${place.name}`, result);
    },
    async remove(context, path) {
      const key = parseKeyPath(path);
      if (key === undefined) {
        await place.remove(context, path);
        return;
      }
      if ((await find(context, key)) !== "key") return;
      const result = await om(context, `removing ${nameOf(key)}`, { argv: keyCommand(key, "remove") });
      if (result.exitCode !== 0) throw failed(`removing ${nameOf(key)} on ${place.name}`, result);
    },
  };
}

/** Version 2 has the verbs on the object and `--key`, version 3 under `key` with `--name`. */
function keyCommand(key: KeyPath, verb: "decode" | "change" | "remove"): readonly [string, ...string[]] {
  return key.generation === 2
    ? ["om", objectOf(key), verb, "--key", key.key]
    : ["om", objectOf(key), "key", verb, "--name", key.key];
}

function objectOf({ namespace, kind, name }: KeyPath): string {
  return `${namespace}/${kind}/${name}`;
}

function nameOf(key: KeyPath): string {
  return `key ${key.key} of ${objectOf(key)}`;
}

/** Never with what om printed: a value may be among it. */
function failed(doing: string, { exitCode }: CommandResult): AppError {
  return new AppError("PROGRAM_FAILED", `${doing}: om ended with ${exitCode}`, {
    hint: "try there, as root, `om OBJECT print status`; the daemon must run, and the namespace must be writable",
  });
}
