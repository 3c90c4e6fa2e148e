import { dirname, join, resolve } from "node:path";
import { type Consumer, consumers, type Target } from "#consumers";
import { AppError, type Context, isAppError, version } from "#core";
import { type DeliveryPlace, isUserName, type Surroundings, type WharfConfig } from "#logins";
import {
  type CarriedPrograms,
  createAnsiblePlaces,
  createClushPlaces,
  createFolderPlace,
  createKubernetesPlaces,
  createLocalPlace,
  createSshPlaces,
  type Place,
  type SshPlaces,
  withOpensvcObjects,
  withPrograms,
} from "#places";
import { currentUserId, findAccount, homeFolder } from "#system";
import { createExecutables } from "./executables.ts";
import { requireTrust } from "./resolve-places.ts";
import type { Inventory } from "./targets.ts";

/** Programs that tell a consumer's version, the first that is there; and others whose version matters to it. */
const PROGRAMS: Readonly<
  Record<string, { readonly own: readonly string[]; readonly others?: readonly string[] }>
> = {
  docker: { own: ["docker"] },
  podman: { own: ["podman", "buildah", "skopeo"] },
  apptainer: { own: ["apptainer", "singularity"] },
  enroot: { own: ["enroot"], others: ["curl"] },
  kubernetes: { own: ["kubectl"] },
  kubelet: { own: ["kubelet"] },
  "kubelet-plugin": { own: ["kubelet"] },
  k3s: { own: ["k3s"] },
  crio: { own: ["crio"] },
  containerd: { own: ["containerd"] },
  rke2: { own: ["rke2"] },
  opensvc: { own: ["om"] },
};

/** Consumers that read the same in every version, unless one of these variables is set, or the delivery names the file. */
const VERSIONED_BY: Readonly<Record<string, readonly string[]>> = {
  docker: ["DOCKER_AUTH_CONFIG"],
  podman: ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG"],
  kubernetes: [],
  kubelet: [],
  "kubelet-plugin": [],
};

/**
 * Every consumer; this machine, hosts over SSH and by Ansible, clusters, and folders. `base` is the folder that relative `folder:` are taken
 * from; `config` is what has to be trusted for Ansible, which runs in its folder.
 */
export function createInventory(surroundings: Surroundings, base: string, config?: WharfConfig): Inventory {
  const ansible = createAnsiblePlaces({
    env: surroundings.env,
    cwd: config === undefined ? base : dirname(config.path),
  });
  const clush = createClushPlaces(surroundings.env);
  const ssh = createSshPlaces(surroundings.env);
  const kubernetes = createKubernetesPlaces(surroundings.env, {
    home: homeFolder(surroundings.env),
    userAgent: `wharf/${version}`,
  });
  const executables = createExecutables();
  const carried: CarriedPrograms = {
    find: (sha256) => executables.find(sha256),
    ...(surroundings.tell === undefined ? {} : { tell: surroundings.tell }),
  };
  return {
    consumers,
    executable: (written) => executables.read(written),
    async openPlace(_context, at, user) {
      switch (at.kind) {
        case "local":
          return withPrograms(
            user === undefined
              ? withOpensvcObjects(createLocalPlace({ env: surroundings.env }))
              : await openHome(surroundings, user),
            carried,
          );
        case "folder":
          if (user !== undefined) throw unsupportedUsers(at);
          // A record of the state has the text of wharf.yaml.
          return createFolderPlace(
            at.folder.startsWith("~/")
              ? join(homeFolder(surroundings.env), at.folder.slice(2))
              : resolve(base, at.folder),
          );
        case "ssh":
          return withPrograms(withOpensvcObjects(openSsh(ssh, at, user)), carried);
        case "hosts":
          throw (
            at.error ??
            new AppError("USAGE", `${at.text} is several hosts, and one is looked at`, {
              hint: "name one: ssh://HOST",
            })
          );
        case "ansible":
          if (at.error !== undefined) throw at.error;
          await requireTrust(surroundings, config);
          checkUser(user);
          return withOpensvcObjects(
            ansible.open(
              { name: at.group, inventory: at.inventory, become: at.sudo, text: at.text },
              { user, sudo: false },
            ),
          );
        case "clush":
          if (at.error !== undefined) throw at.error;
          checkUser(user);
          return withOpensvcObjects(clush.open({ name: at.group, text: at.text }, { user, sudo: at.sudo }));
        case "k8s":
          if (user !== undefined)
            throw new AppError("UNSUPPORTED", `users: is not for ${at.text}`, {
              hint: "give each person a namespace: namespaces: [NAME]",
            });
          return kubernetes.open(at.context);
      }
    },
  };
}

/** A consumer's target at a place: facts, and versions where they decide how the program reads. Programs are run only for those. */
export async function targetOf(
  context: Context,
  place: Place,
  consumer: Consumer,
  options: Readonly<Record<string, unknown>>,
): Promise<Target> {
  if (place.cluster !== undefined) return await clusterTarget(context, place, consumer, options);
  const programs = PROGRAMS[consumer.name] ?? { own: [] };
  const askVersions = () => Promise.all(programs.own.map((program) => place.version(context, program)));
  const deciding = VERSIONED_BY[consumer.name];
  // Asked at once, so that a place far away is asked once.
  const [facts, asked] = await Promise.all([
    place.facts(context),
    deciding === undefined ? askVersions() : undefined,
  ]);
  const isNamed = options["file"] !== undefined || deciding?.some((name) => facts.env[name] !== undefined);
  if (asked === undefined && isNamed !== true) return { ...facts, options };
  const own = asked ?? (await askVersions());
  const version = own.find((found) => found !== undefined);
  if (version === undefined) return { ...facts, options };
  const others = await Promise.all(
    (programs.others ?? []).map(async (program) => [program, await place.version(context, program)] as const),
  );
  const versions = Object.fromEntries(
    others.filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  return { ...facts, options, version, ...(Object.keys(versions).length === 0 ? {} : { versions }) };
}

/** What a delivery's options mean in a cluster: its namespaces, as they are there now, and what else the consumer goes by. */
async function clusterTarget(
  context: Context,
  place: Place,
  consumer: Consumer,
  options: Readonly<Record<string, unknown>>,
): Promise<Target> {
  const needs = consumer.inCluster?.(options) ?? { options, objects: [] };
  const namespaces = await place.cluster?.namespaces(context, needs.options);
  const objects = new Map<string, unknown>();
  for (const path of needs.objects) {
    const object = await readObject(context, place, path);
    if (object !== undefined) objects.set(path, object);
  }
  const facts = await place.facts(context);
  return { ...facts, options, namespaces: namespaces ?? [], ...(objects.size === 0 ? {} : { objects }) };
}

/** undefined where it may not be read too: the consumer then says what it does not know. */
async function readObject(context: Context, place: Place, path: string): Promise<unknown> {
  try {
    return await place.cluster?.object(context, path);
  } catch (cause) {
    if (isAppError(cause, "DENIED")) return undefined;
    throw cause;
  }
}

/** Programs of a consumer that are on a place's PATH, with versions. */
export async function programsOf(
  context: Context,
  place: Place,
  consumer: Consumer,
): Promise<readonly { readonly program: string; readonly version: string }[]> {
  const found = await Promise.all(
    (PROGRAMS[consumer.name]?.own ?? []).map(async (program) => ({
      program,
      version: await place.version(context, program),
    })),
  );
  return found.filter((one): one is { program: string; version: string } => one.version !== undefined);
}

/** Another person's home on this machine: root alone may write there for them, and does so as that home's owner. */
async function openHome(surroundings: Surroundings, user: string): Promise<Place> {
  const account = await findAccount(user);
  if (account === undefined)
    throw new AppError("NOT_FOUND", `there is no user ${JSON.stringify(user.slice(0, 60))} on this machine`);
  if (account.uid === currentUserId()) return createLocalPlace({ env: surroundings.env });
  if (currentUserId() !== 0)
    throw new AppError("PERMISSION_DENIED", `only root can deliver into the home of ${user}`, {
      hint: "run it as root, or let each person deliver their own",
    });
  const env = { PATH: surroundings.env["PATH"], HOME: account.home };
  const place = createLocalPlace({ home: account.home, env });
  return {
    ...place,
    name: `local as ${user}`,
    async facts(context) {
      const facts = await place.facts(context);
      return { ...facts, home: account.home, user, uid: account.uid };
    },
  };
}

/** One host, as whoever signs in there, or as `user`: in a person's home it is that person who reads and writes. */
function openSsh(places: SshPlaces, at: DeliveryPlace & { kind: "ssh" }, user: string | undefined): Place {
  const [host, ...others] = at.hosts;
  if (host === undefined || others.length > 0)
    throw new AppError("INTERNAL", `${at.text} is not one host: targets are made of each`);
  checkUser(user);
  return places.open(host, { user, sudo: host.sudo });
}

function checkUser(user: string | undefined): void {
  if (user !== undefined && !isUserName(user))
    throw new AppError("INVALID_INPUT", `${JSON.stringify(user.slice(0, 60))} is not a user's name`);
}

function unsupportedUsers(at: DeliveryPlace): AppError {
  return new AppError("UNSUPPORTED", `users: is not for ${at.text}`, {
    hint: `give each person a folder: ${join("folder:DIR", "USER")}`,
  });
}
