/** What this machine is: system and processor as Node names them (`linux`, `darwin`; `x64`, `arm64`). */
export function machinePlatform(): { readonly system: string; readonly processor: string } {
  return { system: process.platform, processor: process.arch };
}
