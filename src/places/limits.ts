/** Most that a program that is run at a place may print. */
export const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
