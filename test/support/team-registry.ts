import { manifestType, randomBytes } from "./registry-calls.ts";
import { createRegistryFixture, digestOf, type RegistryFixture } from "./registry-fixture.ts";

/** A registry with the projects team, other and open (public), and people of every role: each an Authorization header. */
export interface TeamRegistry extends RegistryFixture {
  /** Developer of team and of open. */
  readonly developer: string;
  /** Maintainer of all three. */
  readonly maintainer: string;
  /** Guest of team. */
  readonly guest: string;
  /** Of no project. */
  readonly stranger: string;
  /** Pushes, as the maintainer, an image with one config and one layer under a tag; `more` is added to its manifest. */
  readonly pushImage: (
    repository: string,
    tag: string,
    more?: Readonly<Record<string, unknown>>,
  ) => Promise<PushedImage>;
}

export interface PushedImage {
  /** The manifest, and its digest. */
  readonly text: string;
  readonly digest: string;
  /** The layer's digest. */
  readonly layer: string;
  readonly response: Response;
}

/** The bytes of an empty config, and its descriptor. */
export const emptyConfig = new TextEncoder().encode("{}");
export const emptyDescriptor = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: digestOf(emptyConfig),
  size: 2,
};

export async function createTeamRegistry(): Promise<TeamRegistry> {
  const it = await createRegistryFixture();
  await it.accounts.project("team");
  await it.accounts.project("other");
  await it.accounts.project("open", "public");
  const maintainer = await it.member("main", { team: "maintainer", other: "maintainer", open: "maintainer" });
  return {
    ...it,
    maintainer,
    developer: await it.member("dev", { team: "developer", open: "developer" }),
    guest: await it.member("visitor", { team: "guest" }),
    stranger: await it.member("stranger", {}),
    async pushImage(repository, tag, more = {}) {
      await it.pushBlob(repository, emptyConfig, maintainer);
      const layer = await it.pushBlob(repository, randomBytes(100), maintainer);
      const layers = [{ mediaType: "application/octet-stream", digest: layer, size: 100 }];
      const manifest = {
        schemaVersion: 2,
        mediaType: manifestType,
        config: emptyDescriptor,
        layers,
        ...more,
      };
      const text = JSON.stringify(manifest, null, 1);
      const response = await it.ask("PUT", `/v2/${repository}/manifests/${tag}`, {
        as: maintainer,
        body: text,
        headers: { "content-type": manifestType },
      });
      return { text, digest: digestOf(text), layer, response };
    },
  };
}

/** The status of an answer and the code of its first error. */
export async function errorOf(response: Response): Promise<[number, string]> {
  const body = (await response.json()) as { errors: { code: string; message: string }[] };
  return [response.status, body.errors[0]?.code ?? ""];
}
