import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Access, createAccess, createTokenSecret } from "#access";
import { type Catalog, openCatalog, type Project, type Role, type Visibility } from "#catalog";
import type { Secret } from "#core";
import { type Clock, hashPassword } from "#system";

/** A clock that tests turn. */
export interface TestClock extends Clock {
  forward(ms: number): void;
}

export function createTestClock(start: number = Date.UTC(2026, 10, 1)): TestClock {
  let now = start;
  return {
    now: () => now,
    monotonicMs: () => now - start,
    forward(ms) {
      now += ms;
    },
  };
}

/** A catalog in a temporary folder with access over it, and short ways to fill it. */
export interface AccountsFixture {
  readonly dir: string;
  readonly catalog: Catalog;
  readonly access: Access;
  readonly clock: TestClock;
  readonly project: (name: string, visibility?: Visibility) => Promise<Project>;
  /** A user with that password (none unless said), and roles by project name. */
  readonly user: (
    name: string,
    more?: { admin?: boolean; password?: Secret; roles?: Readonly<Record<string, Role>> },
  ) => Promise<number>;
  /** A robot of a project, or of the site over `pullsFrom`. */
  readonly robot: (options: {
    name: string;
    project?: string;
    canPush?: boolean;
    canDelete?: boolean;
    pullsFrom?: readonly string[];
  }) => Promise<number>;
  /** A token of an account; gives its secret. */
  readonly token: (accountId: number, expiresAt?: number) => Promise<{ id: number; secret: Secret }>;
  close(): Promise<void>;
}

export async function createAccountsFixture(): Promise<AccountsFixture> {
  const dir = mkdtempSync(join(tmpdir(), "wharf-accounts-"));
  const clock = createTestClock();
  const catalog = await openCatalog({ dir, clock });
  const access = createAccess({ catalog, clock });
  let serial = 0;
  const idOf = (project: string): number => {
    const found = catalog.projects.find(project);
    if (found === undefined) throw new Error(`fixture has no project ${project}`);
    return found.id;
  };
  return {
    dir,
    catalog,
    access,
    clock,
    project: (name, visibility = "private") =>
      catalog.write(["access"], () =>
        catalog.projects.create({ name, visibility, description: "", createdAt: clock.now() }),
      ),
    async user(name, { admin = false, password, roles = {} } = {}) {
      const passwordHash = password === undefined ? undefined : await hashPassword(password);
      return catalog.write(["access"], () => {
        const createdAt = clock.now();
        const user = catalog.users.create({ name, description: "", admin, passwordHash, createdAt });
        for (const [project, role] of Object.entries(roles))
          catalog.members.set(idOf(project), user.id, role);
        return user.id;
      });
    },
    robot: ({ name, project, canPush = false, canDelete = false, pullsFrom = [] }) =>
      catalog.write(["access"], () => {
        const robot = catalog.robots.create({
          username: project === undefined ? `robot-${name}` : `robot-${project}-${name}`,
          name,
          description: "",
          projectId: project === undefined ? undefined : idOf(project),
          canPush,
          canDelete,
          pullsFrom: pullsFrom.map(idOf),
          createdAt: clock.now(),
        });
        return robot.id;
      }),
    async token(accountId, expiresAt) {
      const { secret, hash } = createTokenSecret();
      const name = `token ${serial++}`;
      const token = await catalog.write(["access"], () =>
        catalog.tokens.create({ accountId, name, hash, createdAt: clock.now(), expiresAt }),
      );
      return { id: token.id, secret };
    },
    async close() {
      await access.close();
      await catalog.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The Authorization header of a Basic login. */
export function basic(username: string, secret: Secret | string): string {
  const password = typeof secret === "string" ? secret : secret.reveal();
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
