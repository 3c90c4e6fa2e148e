import type { ImageConfig } from "#oci";

/** When an image was made, by its config: seconds; 0 where it does not say, or says what is no time. */
export function createdSeconds({ created }: Pick<ImageConfig, "created">): number {
  const milliseconds = Date.parse(created ?? "");
  return Number.isNaN(milliseconds) ? 0 : Math.max(0, Math.floor(milliseconds / 1000));
}
