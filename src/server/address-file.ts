import { createConnection } from "node:net";
import { join } from "node:path";
import { type Logger, toAppError } from "#core";
import { readTextLimited, removeFile, writeFileDurable } from "#system";

const MAX_BYTES = 1000;
const CONNECT_MS = 500;

/** `DIR/address`: where scripts of this machine find the server. Written once it answers, gone once it stops. */
export interface AddressFile {
  /** What it says; undefined when there is none. */
  read(): Promise<string | undefined>;
  write(address: string): Promise<void>;
  /** Removes it, unless another server on the same data has written its own address since. */
  forget(address: string): Promise<void>;
  /** Removes what a server that was killed left behind, so that nobody takes it for ours before we answer. */
  forgetDead(): Promise<void>;
}

export function createAddressFile(dataDir: string, log: Logger): AddressFile {
  const path = join(dataDir, "address");
  const read = async (): Promise<string | undefined> => (await readTextLimited(path, MAX_BYTES))?.trim();
  return {
    read,
    write: (address) => writeFileDurable(path, `${address}\n`),
    async forget(address) {
      try {
        if ((await read()) === address) await removeFile(path);
      } catch (cause) {
        log.warn("the address file could not be removed", { error: toAppError(cause) });
      }
    },
    async forgetDead() {
      const address = await read();
      if (address !== undefined && !(await isListening(address))) await removeFile(path);
    },
  };
}

function isListening(address: string): Promise<boolean> {
  const [, host, port] = /^\[?([^\]]*)\]?:(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || Number(port) > 65_535) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: Number(port) });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    // Whoever does not refuse at once may be busy.
    socket.setTimeout(CONNECT_MS, () => end(true));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
