import { renderEntry } from "../auth-entry.ts";
import type { ConsumerLogin, Entry, Warning } from "../contract.ts";
import { scopeOf } from "../coverage.ts";

/** Keys of a login in a pull secret, for the kubelet's rules: the port must be the same text, a path is a plain string prefix. */
interface PullKeys {
  readonly keys: readonly string[];
  readonly warnings: readonly Warning[];
}

/** The entries of all logins under their keys. */
export function pullEntries(logins: readonly ConsumerLogin[]): {
  readonly entries: readonly Entry[];
  readonly warnings: readonly Warning[];
} {
  const placed = logins.map((login) => ({ login, ...pullKeys(login, logins) }));
  return {
    entries: placed.flatMap(({ login, keys }) =>
      keys.map((key) => ({ key, login: login.name, content: renderEntry(login) })),
    ),
    warnings: placed.flatMap(({ warnings }) => warnings),
  };
}

/**
 * A whole registry by its name; Hub by both spellings, since the second is only looked at when nothing else matched, and other programs
 * that read such a file know only that. A path with a slash behind it, so that `team` does not serve `team-b`; a longer path that has
 * no rival on its registry without one, since it may itself be a repository.
 */
function pullKeys(login: ConsumerLogin, all: readonly ConsumerLogin[]): PullKeys {
  const scope = scopeOf(login);
  if (login.path === undefined) {
    const keys =
      login.registry === "docker.io" ? ["docker.io", "https://index.docker.io/v1/"] : [login.registry];
    return { keys, warnings: [] };
  }
  const hasRival = all.some((other) => other !== login && other.registry === login.registry);
  if (login.path.includes("/") && !hasRival) {
    return {
      keys: [scope],
      warnings: [
        {
          kind: "wider",
          login: login.name,
          message: `kubelet compares text: it sends this login for every image whose name begins with ${scope}, as ${scope}-other/image`,
        },
      ],
    };
  }
  return {
    keys: [`${scope}/`],
    warnings: [
      {
        kind: "format",
        login: login.name,
        message: `written for what is below ${scope}/; a repository of exactly that name would not get it`,
      },
    ],
  };
}
