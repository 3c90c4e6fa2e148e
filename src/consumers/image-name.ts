import { parseReference } from "#oci";

/** An image's name as programs compare it. */
export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  /** The user in Enroot's `user@host#path`. */
  readonly username: string | undefined;
}

const SERVED_FROM = "registry-1.docker.io";
const SAYS_SERVED_FROM = /^(?:docker:\/\/)?registry-1\.docker\.io\//i;

/**
 * Docker's rules, but Hub under the host that it is served from stays that host: to programs it is another registry, for which they find
 * no login of Hub (seen with the kubelet's keyring). Throws what `parseReference` throws.
 */
export function parseImageName(image: string): ImageName {
  const { registry, repository, username } = parseReference(image);
  return { registry: SAYS_SERVED_FROM.test(image) ? SERVED_FROM : registry, repository, username };
}
