/** The only door to the machine: files, processes, clock, logs, terminal, network. Small, flat, one file per thing. */

export { type Account, currentAccount } from "./account.ts";
export { availableCores } from "./available-cores.ts";
export { type BlockResult, type BlockSlot, SLOT_MAX_BLOCKS } from "./block-slot.ts";
export { type Clock, systemClock } from "./clock.ts";
export { collectGarbage } from "./collect-garbage.ts";
export { type BlockCodec, compressBlock } from "./compress-block.ts";
export { CompressionPool } from "./compression-pool.ts";
export { type Conversation, type ConversationEnd, type ConversationLimits, converse } from "./converse.ts";
export { createFileDurable } from "./create-durable.ts";
export { type Compression, decompress } from "./decompress.ts";
export { readFreeBytes } from "./disk-space.ts";
export {
  createFetch,
  type Fetch,
  type FetchAnswer,
  type FetchOptions,
  type FetchRequest,
  type FetchTls,
} from "./fetch.ts";
export { type FetchFailure, fetchFailure } from "./fetch-error.ts";
export { fetchUnverified } from "./fetch-unverified.ts";
export { withFileLock } from "./file-lock.ts";
export { createNodeCalls, type NodeCalls } from "./file-nodes.ts";
export { createFileSync, type FileSync } from "./file-sync.ts";
export { findAccount, type LocalAccount } from "./find-account.ts";
export { findGitTree } from "./find-git-tree.ts";
export { findProgram } from "./find-program.ts";
export { ensurePrivateFolder } from "./folders.ts";
export { type HashedFile, hashFile } from "./hash-file.ts";
export { createKeyedHash } from "./keyed-hash.ts";
export { type LineClient, type LineServer, listenLines } from "./listen-lines.ts";
export { createLogger, type LoggerOptions } from "./log.ts";
export { lowerPriority } from "./lower-priority.ts";
export { readMachineNames } from "./machine-names.ts";
export { machinePlatform } from "./machine-platform.ts";
export { nameProcess } from "./name-process.ts";
export {
  lastLine,
  type SshDestination,
  sshArguments,
  sshDestinationWords,
  sshEnvironment,
  sshUnreachable,
} from "./open-ssh.ts";
export { type OwnProgram, onParentGone, startOwnProgram } from "./own-program.ts";
export { currentUserId, fileMode, fileOwner, homeFolder, isThere, realPath } from "./owner.ts";
export { packBytes, unpackBytes } from "./pack-bytes.ts";
export { type PackedFile, packFile } from "./packed-file.ts";
export { hashPassword, verifyPassword } from "./password-hash.ts";
export { type PlainPage, type PlainServer, servePlain } from "./plain-server.ts";
export { findPortOwner, type PortOwner } from "./port-owner.ts";
export { privateRuntimeFolder } from "./private-runtime-folder.ts";
export { probeWritable } from "./probe-writable.ts";
export { isProcessGone, type ProcessIdentity, readProcessIdentity } from "./process-identity.ts";
export { readProgramVersion } from "./program-version.ts";
export { chooseProxy, isLoopbackHost, type ProxyEnvironment } from "./proxy-environment.ts";
export { isPublicHost } from "./public-host.ts";
export { readFileLimited, readTextLimited } from "./read-limited.ts";
export { removeFile } from "./remove-file.ts";
export {
  listRooted,
  type RootedFile,
  type RootedWrite,
  readRooted,
  refuseOpenRooted,
  removeRooted,
  writeRooted,
} from "./rooted-file.ts";
export { findRoot, type Root } from "./rooted-folder.ts";
export { type ProgramResult, type ProgramRun, runProgram } from "./run-program.ts";
export { runningExecutable } from "./running-executable.ts";
export { onHangup } from "./signals.ts";
export { createSocketWatch, type SocketProgress, type SocketWatch } from "./socket-progress.ts";
export { systemErrorCode, toStorageError } from "./storage-error.ts";
export { withTemporaryFolder } from "./temporary-folder.ts";
export { createTerminal, type Terminal } from "./terminal.ts";
export { wait } from "./wait.ts";
export { workerUrl } from "./worker-url.ts";
export { syncFolder, writeFileDurable } from "./write-durable.ts";
