/** Keychain: the login for an image, from wharf.yaml or from what a machine's own programs would send. */
export { createAuthFileKeychain } from "./auth-file-keychain.ts";
export { createConfigKeychain } from "./config-keychain.ts";
export { ANONYMOUS, type Keychain, type KeychainLogin } from "./contract.ts";
export { isLoginFor, loginForImage } from "./login-for-image.ts";
export { createMachineKeychain } from "./machine-keychain.ts";
