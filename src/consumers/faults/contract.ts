import type { FaultCode } from "./fault-table.ts";

/** Whose rules a JSON file of logins is read by. */
export type Reader = "docker" | "podman" | "apptainer" | "kubelet";

/** A file to be looked at. */
export interface ExaminedFile {
  /** As it is shown. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits, where known. */
  readonly mode?: number;
  /** Who reads it, where it lies in a program's own place; else it is told by the name. */
  readonly reader?: Reader;
  /** Version of the curl that reads a `.credentials` file, where known. */
  readonly curl?: string;
  /** The time; where it is not given, nothing is said to have ended. */
  readonly now?: Date;
}

/** What a text is, told by its content. `shell`: a script, or a code block that is nothing else. */
export type PartKind =
  | "auth-json"
  | "bare-auths"
  | "broken-json"
  | "secret"
  | "netrc"
  | "containerd"
  | "hosts-toml"
  | "containerd-template"
  | "registries"
  | "definition"
  | "opensvc"
  | "ansible-vars"
  | "shell"
  | "document";

/** A whole file, or a code block of a document. */
export interface Part {
  readonly kind: PartKind;
  readonly text: string;
  readonly path: string;
  /** Line of the file that the text begins at, from 1. */
  readonly line: number;
  /** It is the whole file, so that a mended text can be written back. */
  readonly isWhole: boolean;
  readonly reader: Reader;
  readonly curl: string | undefined;
  readonly now: Date | undefined;
}

/** A known mistake, in words that name the right value. Never holds a secret. */
export interface Fault {
  readonly code: FaultCode;
  /** From 1; undefined: the file as a whole. */
  readonly line: number | undefined;
  /** What stands there and what a program makes of it. */
  readonly message: string;
  /** What should stand there. */
  readonly right: string;
  /** The `wharf` command that does the job instead, where a command is the mistake. */
  readonly command?: string;
  /** Without: a person has to decide. */
  readonly mend?: Mend;
}

export interface Mend {
  /** What changes, without secrets. */
  readonly says: string;
  /** The whole text as it should be. */
  apply(): string;
}

/** A family of rules: the kinds of text that it looks at, and what it finds there. Pure; throws nothing for any text. */
export interface RuleFamily {
  readonly kinds: readonly PartKind[];
  find(part: Part): readonly Fault[];
}
