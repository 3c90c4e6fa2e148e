/** The bytes of blobs: a folder now, S3 later, behind one contract. */
export type * from "./contract.ts";
export { type FolderStoreOptions, openFolderStore } from "./folder-store.ts";
