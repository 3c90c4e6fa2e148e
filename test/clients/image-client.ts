import type { ImageFixture } from "../support/image-fixture.ts";
import type { Ran } from "../support/run-program.ts";
import type { Scratch } from "../support/scratch.ts";

/** The digest that an index pulled by a program which makes its own is said to have. */
export const ONE_IMAGE = "an index of one image";

/** Where a program is run: a home of its own, nothing of the caller's environment, and the image to push. */
export interface Bench {
  readonly scratch: Scratch;
  readonly env: Readonly<Record<string, string>>;
  readonly fixture: ImageFixture;
  /** The registry speaks plain HTTP: the programs that do not guess it by the address are told. */
  readonly plainHttp: boolean;
}

/** What a pull brought, in whatever the program still knows of it. */
export interface Pulled {
  readonly ran: Ran;
  /** The digest asked for by the tag (index or manifest) where the program keeps it, else the image's config digest. */
  readonly digest: string;
}

/** One real program that pushes and pulls images. Started for one test file, stopped after it. */
export interface ImageClient {
  /** Pushes the fixture's image to `reference` (host/repository:tag). */
  push(reference: string): Promise<Ran>;
  /** Pulls `reference` afresh, with nothing of an earlier pull or push to lean on. */
  pull(reference: string): Promise<Pulled>;
  /** What `pull(...).digest` must be for the fixture's image. */
  readonly imageDigest: string;
  /** Where the program can handle one: the same for the fixture's index. */
  readonly index?: {
    push(reference: string): Promise<Ran>;
    pull(reference: string): Promise<Pulled>;
    /** undefined where the program makes an index of its own, around the one image: then `pull` says ONE_IMAGE. */
    readonly digest?: string;
  };
  stop?(): Promise<void>;
}

/** A member of the family: which programs it needs, and how it is made ready. */
export interface ImageClientKind {
  readonly name: string;
  readonly programs: readonly string[];
  /** It runs as root only. */
  readonly asRoot?: true;
  start(bench: Bench): Promise<ImageClient>;
}
