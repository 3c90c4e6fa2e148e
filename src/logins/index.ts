/** Logins: `wharf.yaml`, the vault that holds their secrets, the other sources, and who is trusted. */
export { editConfig, readConfig, readConfigIfAny } from "./config-file.ts";
export type * from "./contract.ts";
export { addDeliveries, EMPTY_CONFIG } from "./edit-config.ts";
export { besideConfig, type ConfigLocation, findConfig, userConfigFolder } from "./find-config.ts";
export { configKeys, parseConfig } from "./parse-config.ts";
export { parsePlace } from "./parse-place.ts";
export { changeRecipients, type Rekeyed, rekeyVault } from "./rekey-vault.ts";
export type { Rotation, RotationIssuer } from "./rotation.ts";
export { deleteLogin, type NewLogin, proposeName, type SavedLogin, saveLogin } from "./save-login.ts";
export { saveRotation } from "./save-rotation.ts";
export { type SealedPart, type SealPart, sealPart } from "./seal-part.ts";
export { checkSecret, createSecretReader, runSecretCommand, type SecretReader } from "./secret-source.ts";
export { isUserName, parseSshAddresses, type SshAddress } from "./ssh-address.ts";
export { areCommandsTrusted, changeTrust, readTrust, trustCommands } from "./trust-store.ts";
export {
  accessFor,
  changeVault,
  openVault,
  readPassphrase,
  replaceVault,
  type VaultChange,
} from "./vault.ts";
export type { VaultAccess, VaultContent } from "./vault-file.ts";
export {
  createVaultKey,
  ensureVaultKey,
  isRecipient,
  readVaultKey,
  renderKeyFile,
  type VaultKey,
  vaultKeyPath,
} from "./vault-key.ts";
export { isVaultPasswordSource } from "./vault-password.ts";
