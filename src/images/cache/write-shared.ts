import { open } from "node:fs/promises";

/** Makes a file with this mode, whatever the umask: what others are to read they must be able to. Throws what the system throws, EEXIST too. */
export async function writeShared(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}
