/** What to ask a token for: docker and containerd build these texts themselves, and registries expect them so. */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}
