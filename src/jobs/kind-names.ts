/** Every kind of job by name, for those who must not load what does them. */
export const jobKindNames = ["convert-image", "drop-object"] as const;
export type JobKindName = (typeof jobKindNames)[number];
