import { readdirSync, readFileSync } from "node:fs";

/** Looks at every process's arguments and environment again and again, until `stop`: the commands that were seen, and where a secret was. */
export function watchProcesses(secrets: readonly string[]): {
  stop(): { seen: ReadonlySet<string>; found: readonly string[] };
} {
  const seen = new Set<string>();
  const found: string[] = [];
  const timer = setInterval(() => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      for (const file of ["cmdline", "environ"]) {
        let text: string;
        try {
          text = readFileSync(`/proc/${pid}/${file}`, "utf8");
        } catch {
          // It has ended meanwhile.
          continue;
        }
        if (file === "cmdline") seen.add(text.replaceAll("\0", " "));
        if (secrets.some((secret) => text.includes(secret))) found.push(`${file} of ${pid}`);
      }
    }
  }, 10);
  return {
    stop: () => {
      clearInterval(timer);
      return { seen, found };
    },
  };
}
