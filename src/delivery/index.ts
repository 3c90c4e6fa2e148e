/** Delivery: which logins go to which program at which place; plan, apply, check, revoke, and why a program uses what it uses. */
export { type AdoptReport, adoptDelivery } from "./adopt.ts";
export { applyPlan, deliverPlaces } from "./apply.ts";
export { type CheckReport, checkDelivery, isPlanQuiet, isTargetGood } from "./check.ts";
export { chooseFailed, choosePlaces } from "./choose-places.ts";
export type * from "./contract.ts";
export {
  type Examination,
  examineFiles,
  examinePlace,
  type FileReport,
  type Mending,
} from "./doctor/index.ts";
export {
  configForLogin,
  draftLogin,
  type Enrolled,
  enrollLogin,
  type LoginDraft,
  type LoginWish,
} from "./enroll-login.ts";
export {
  applyImport,
  type ImportOutcome,
  type ImportPlan,
  type LeftOut,
  planImport,
  refuseNothing,
} from "./import/index.ts";
export { createInventory } from "./inventory.ts";
export { type KubeRights, rightsOf } from "./kube-rights.ts";
export type { OfferedCa } from "./offered-ca.ts";
export { openDelivery } from "./open-delivery.ts";
export { planDelivery } from "./plan.ts";
export type { PlanInput } from "./planning.ts";
export { type Proposal, proposeDeliveries } from "./propose.ts";
export { type Expiry, expiryOf, isLoginOff, type LoginStatus, proveLogins } from "./prove-logins.ts";
export { type DeliveredPullSecret, deliveredPullSecrets, pullSecretsFor } from "./pull-secrets.ts";
export { type RenderedFile, renderConsumer } from "./render-consumer.ts";
export { type ControllerWish, renderController } from "./render-controller.ts";
export { parseServiceAccount, type RbacSubject, renderRbac } from "./render-rbac.ts";
export { pendingRestarts, restartPrograms } from "./restart.ts";
export { revokeCopies } from "./revoke.ts";
export { beginRotation, resumeRotation, turnRotation } from "./rotate.ts";
export type {
  NewSecret,
  Remaining,
  RotateInput,
  RotationReport,
  RotationStage,
  TokenIssuer,
} from "./rotate-contract.ts";
export { readState } from "./state.ts";
export type { Inventory } from "./targets.ts";
export { configStamp } from "./watch/config-stamp.ts";
export { createWatchFigures, renderWatchFigures, type WatchFigures } from "./watch/figures.ts";
export { type WatchParts, watchPlace } from "./watch/watch-place.ts";
export { copyToWork, type WorkCopy } from "./watch/work-copy.ts";
export { explainImage } from "./why.ts";
export type { PodQuestion, WhyAnswer } from "./why-contract.ts";
