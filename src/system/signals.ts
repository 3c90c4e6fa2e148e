/** Calls `act` at each SIGHUP until the returned function is called. Without it SIGHUP ends the process, as everywhere. */
export function onHangup(act: () => void): () => void {
  process.on("SIGHUP", act);
  return () => process.off("SIGHUP", act);
}
