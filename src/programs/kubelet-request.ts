import { AppError } from "#core";

/** Versions of the plugin API; requests and answers have the same form in all, and an answer has its request's version. */
const VERSIONS = [
  "credentialprovider.kubelet.k8s.io/v1",
  "credentialprovider.kubelet.k8s.io/v1beta1",
  "credentialprovider.kubelet.k8s.io/v1alpha1",
] as const;

/** What the kubelet asks (kubernetes/kubelet, pkg/apis/credentialprovider/v1). */
export interface KubeletRequest {
  readonly apiVersion: (typeof VERSIONS)[number];
  /** The image's repository with its registry, without tag. */
  readonly image: string;
}

/** What it is told. `undefined`: there is no login for this image. */
export interface KubeletLogin {
  readonly username: string;
  readonly password: string;
  /** How long the kubelet may keep it. */
  readonly cacheSeconds: number;
}

/**
 * The request on standard input. A service account's token and annotations (KEP-4412) are checked and not used; other fields are a later
 * kubelet's and left alone. Throws INVALID_INPUT; never repeats the input, which may hold a token.
 */
export function parseKubeletRequest(text: string): KubeletRequest {
  const value = readJson(text);
  const apiVersion = VERSIONS.find((known) => known === value["apiVersion"]);
  if (apiVersion === undefined || value["kind"] !== "CredentialProviderRequest")
    throw invalid("standard input is no CredentialProviderRequest of credentialprovider.kubelet.k8s.io");
  const { image, serviceAccountToken: token, serviceAccountAnnotations: annotations } = value;
  if (typeof image !== "string" || image === "") throw invalid("the request names no image");
  if (token !== undefined && typeof token !== "string") throw invalid("serviceAccountToken is no text");
  if (annotations !== undefined && annotations !== null && !isTexts(annotations))
    throw invalid("serviceAccountAnnotations is no map of texts");
  return { apiVersion, image };
}

/**
 * The answer, kept by the kubelet for this image alone (`cacheKeyType: Image`): the key is matched as a prefix of the image's path, so a
 * login that was kept for a registry could be offered for another team's images. Nothing found is asked again each time. Holds the secret.
 */
export function renderKubeletResponse(request: KubeletRequest, login: KubeletLogin | undefined): string {
  const answer = {
    apiVersion: request.apiVersion,
    kind: "CredentialProviderResponse",
    cacheKeyType: "Image",
    cacheDuration: `${login?.cacheSeconds ?? 0}s`,
    auth:
      login === undefined
        ? null
        : { [request.image]: { username: login.username, password: login.password } },
  };
  return `${JSON.stringify(answer)}\n`;
}

function readJson(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's words quote what it read, which may hold a token.
    throw invalid("standard input is not JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid("standard input is no JSON object");
}

function isTexts(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string")
  );
}

function invalid(message: string): AppError {
  return new AppError("INVALID_INPUT", message, { hint: "this program is started by the kubelet" });
}
