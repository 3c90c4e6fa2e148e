/** Programs of wharf that other programs call, each under a name of its own. Small, quick to start. */
export type * from "./contract.ts";
export {
  answerCredentialHelper,
  type HelperAction,
  helperActions,
  renderHelperError,
} from "./credential-helper.ts";
export { importForPyxis, type PyxisParts, readImageUse, releaseForPyxis } from "./pyxis-importer.ts";
export { runCredentialHelper } from "./run-credential-helper.ts";
export { runKubeletProvider } from "./run-kubelet-provider.ts";
