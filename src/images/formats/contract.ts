import type { Context } from "#core";
import type { ImageContent, ImageView, Sink } from "../contract.ts";
import type { PlatformChoice } from "../sources/choose-platform.ts";

/** What an image can be written as, by the name that `--format` takes. */
export type FormatName =
  | "sif"
  | "sqsh"
  | "squashfs"
  | "tar"
  | "oci"
  | "oci-archive"
  | "docker-archive"
  | "rootfs";

/** An image on its way into a format: as it runs, and as it lies at its source. */
export interface FormatInput {
  readonly view: ImageView;
  readonly content: ImageContent;
  readonly platform: PlatformChoice;
}

/** What somebody may choose of how an image is written. A format that does not have a choice refuses it (USAGE). */
export interface FormatChoice {
  readonly compress?: "gzip" | "zstd" | "none";
  readonly level?: number;
  /** What the image is called inside an archive. */
  readonly name?: string;
}

export interface FormatOutcome {
  readonly sizeBytes: number;
  /** What people should know of this result: one sentence each, lower case. */
  readonly notes?: readonly string[];
}

interface Format {
  readonly name: FormatName;
  /** What the bytes depend on beside the image: the choice with its defaults filled in. Throws USAGE. */
  settings(choice: FormatChoice): Readonly<Record<string, unknown>>;
}

/** An image as one file. Same image, same settings: same bytes. */
export interface FileFormat extends Format {
  readonly kind: "file";
  /** Permission bits of the file. */
  readonly mode: number;
  /** Programs change such files in place (a signature, an overlay): two of them never share their bytes on disk unasked. */
  readonly isChangedInPlace: boolean;
  /** The sink is neither finished nor aborted. Throws what the layers and the sink throw. */
  write(context: Context, image: FormatInput, sink: Sink, choice: FormatChoice): Promise<FormatOutcome>;
}

/** An image as a folder of this machine. */
export interface FolderFormat extends Format {
  readonly kind: "folder";
  /** Throws ALREADY_EXISTS where something else is there. */
  write(context: Context, image: FormatInput, folder: string, choice: FormatChoice): Promise<FormatOutcome>;
}

export type ImageFormat = FileFormat | FolderFormat;
