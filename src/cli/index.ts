/** The commands of `wharf`: what each says of itself, and how it is run. */
export type * from "./command.ts";
