import type { Access, Caller, RepositoryAction } from "#access";
import type { Generations } from "#catalog";

const MAX_REMEMBERED = 1000;

interface Remembered {
  readonly mark: number;
  readonly allowed: Set<string>;
}

/**
 * Asks `access` once for what a caller does again and again: a push is five requests about one repository. Only permissions are remembered,
 * never refusals, and only while nothing about access has changed in any process; with the caller, they go.
 */
export class Permissions {
  readonly #access: Pick<Access, "authorize">;
  readonly #generations: Pick<Generations, "accessMark">;
  readonly #byCaller = new WeakMap<Caller, Remembered>();

  constructor(access: Pick<Access, "authorize">, generations: Pick<Generations, "accessMark">) {
    this.#access = access;
    this.#generations = generations;
  }

  /** As `Access.authorize`. */
  authorize(caller: Caller, action: RepositoryAction, repository: string): void {
    const mark = this.#generations.accessMark();
    const key = `${action} ${repository}`;
    let known = this.#byCaller.get(caller);
    if (known?.mark === mark && known.allowed.has(key)) return;
    this.#access.authorize(caller, action, repository);
    if (known?.mark !== mark || known.allowed.size >= MAX_REMEMBERED) {
      known = { mark, allowed: new Set() };
      this.#byCaller.set(caller, known);
    }
    known.allowed.add(key);
  }
}
