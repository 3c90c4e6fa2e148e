import type { JobKind } from "./contract.ts";
import { convertImage } from "./convert-image/convert-image.ts";
import { dropObject } from "./drop-object/drop-object.ts";

/** Every kind of job: one that is not here is never done. */
export const jobKinds: readonly JobKind[] = [convertImage, dropObject];
