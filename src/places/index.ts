/** Where consumers live: this machine, and a folder to render into. */
export type * from "./contract.ts";
export { createFolderPlace } from "./folder/index.ts";
export { createLocalPlace } from "./local/index.ts";
