const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** `12 B`, `3.4 MB`, `567 GB`: decimal, two or three figures. */
export function renderBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 10 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
