import type { FoundLogin } from "#consumers/found-logins";

/** Usernames of logins that a program makes for one job or a few hours. */
const NAMES: Readonly<Record<string, string>> = {
  "gitlab-ci-token": "a GitLab job's token ends with the job",
  AWS: "an ECR password ends after 12 hours",
  oauth2accesstoken: "a Google access token ends after an hour",
  "00000000-0000-0000-0000-000000000000": "an Azure token ends after a few hours",
};

/** Why a login would be of no use tomorrow; undefined where nothing says so. */
export function shortLived(
  { username, secret }: Pick<FoundLogin, "username" | "secret">,
  now: Date,
): string | undefined {
  const byName = NAMES[username];
  if (byName !== undefined) return byName;
  const text = "reveal" in secret ? secret.reveal() : "";
  if (text.startsWith("ghs_")) return "a GitHub Actions token ends with the job";
  const end = endOfJwt(text);
  if (end === undefined) return undefined;
  const hours = (end.getTime() - now.getTime()) / 3_600_000;
  if (hours <= 0) return `its token ended on ${end.toISOString().slice(0, 10)}`;
  return hours < 48 ? "its token ends within two days" : undefined;
}

function endOfJwt(text: string): Date | undefined {
  const body = /^eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]*$/.exec(text)?.[1];
  if (body === undefined) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  } catch {
    // Looks like a token and is none: then nothing is known of its end.
    return undefined;
  }
  const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
  return typeof exp === "number" && Math.abs(exp) < 8e12 ? new Date(exp * 1000) : undefined;
}
