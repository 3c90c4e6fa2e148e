import { parseReference } from "#oci";

/** An image's name as programs compare it. */
export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  /** The user in Enroot's `user@host#path`. */
  readonly username: string | undefined;
}

const SERVED_FROM = "registry-1.docker.io";

/**
 * Docker's rules, but Hub under the host that it is served from stays that host: to programs it is another registry, for which they find
 * no login of Hub (seen with the kubelet's keyring). Throws what `parseReference` throws.
 */
export function parseImageName(image: string): ImageName {
  const { registry, repository, username } = parseReference(image);
  const isServedFrom = new RegExp(`^(?:docker://)?${SERVED_FROM.replaceAll(".", "\\.")}/`, "i").test(image);
  return { registry: isServedFrom ? SERVED_FROM : registry, repository, username };
}
