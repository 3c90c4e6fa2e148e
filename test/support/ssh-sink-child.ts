/** A process that writes the beginning of a file to a host, says so, and waits to be killed: `ssh-sink-child TARGET`. */
import { silentLogger } from "#core";
import { createSshSink, parseSshTarget } from "#images";

const context = { signal: new AbortController().signal, log: silentLogger };
const target = parseSshTarget(process.argv[2] ?? "");
const sink = await createSshSink(context, target, { env: process.env, mode: 0o644, isForced: false });
await sink.write(0, new Uint8Array(3_000_000));
process.stdout.write("written\n");
await new Promise((resolve) => setTimeout(resolve, 600_000));
