import { createHash } from "node:crypto";
import { besideConfig } from "#logins";
import { readTextLimited } from "#system";

const MAX_BYTES = 64 * 1024 * 1024;

/** Another when wharf.yaml or its vault changed. By what is in them: a Secret that is mounted changes by a link. */
export async function configStamp(configPath: string): Promise<string> {
  const texts = await Promise.all(
    [configPath, besideConfig(configPath, "vault")].map((file) => readTextLimited(file, MAX_BYTES)),
  );
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}
