import { isScalar } from "yaml";
import type { SecretSource } from "./contract.ts";
import type { Field, YamlReader } from "./yaml-reader.ts";

type ExchangeSource = Extract<SecretSource, { kind: "exchange" }>;

/** Of whom a token is to be had. */
interface About {
  readonly registry: string;
  readonly username: string;
  /** As in messages: `login ecr`. */
  readonly what: string;
}

const PROVIDERS = ["ecr", "acr", "google", "ghcr"] as const;
const FIELDS = ["helper", "command", "lives"] as const;
const HOUR = 3600;
const ECR = /^\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/;
const ACR = /^([a-z0-9]+)\.azurecr\.(?:io|cn|us)$/;
const GOOGLE = /(?:^|\.)gcr\.io$|^[a-z0-9-]+-docker\.pkg\.dev$/;
/** The username that ACR takes with a refresh token as password. */
const ACR_USERNAME = "00000000-0000-0000-0000-000000000000";

/**
 * `exchange:` of a login: a provider's name, whose own command line makes the token, or `{ helper: NAME }` or `{ command: […] }` with
 * `lives:`. Throws CONFIG_INVALID where registry or username are not the provider's.
 */
export function parseExchange(reader: YamlReader, field: Field, about: About): ExchangeSource {
  if (isScalar(field.value)) return ofProvider(reader, field, about);
  const label = `exchange of ${about.what}`;
  const fields = reader.knownFields(field.value, label, FIELDS);
  const lives = fields.get("lives");
  const livesSeconds = lives === undefined ? undefined : parseLife(reader, lives, `lives of ${about.what}`);
  const helper = fields.get("helper");
  const command = fields.get("command");
  if ((helper === undefined) === (command === undefined))
    throw reader.fault(field.value, `${label} must have \`helper:\` or \`command:\``);
  if (command !== undefined) {
    const argv = reader.texts(command, `command of ${about.what}`);
    if (argv.length === 0) throw reader.fault(command.value, `command of ${about.what} names no program`);
    return { kind: "exchange", argv, answer: "text", livesSeconds };
  }
  const name = helper === undefined ? "" : reader.text(helper, `helper of ${about.what}`);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw reader.fault(
      helper?.value,
      `helper of ${about.what} must be the name of a credential helper`,
      "ecr-login for docker-credential-ecr-login",
    );
  return { kind: "exchange", argv: [`docker-credential-${name}`, "get"], answer: "helper", livesSeconds };
}

function ofProvider(reader: YamlReader, field: Field, about: About): ExchangeSource {
  const { registry, username, what } = about;
  const provider = reader.text(field, `exchange of ${what}`);
  const want = (isRight: boolean, usernames: string | undefined, host: string): void => {
    if (!isRight) throw reader.fault(field.value, `${registry} is no registry of ${provider}: ${host}`);
    if (usernames !== undefined && username !== usernames)
      throw reader.fault(
        field.value,
        `the username of ${what} must be ${usernames}: the token of ${provider} is good with that alone`,
      );
  };
  switch (provider) {
    case "ecr": {
      const isPublic = registry === "public.ecr.aws";
      const region = ECR.exec(registry)?.[1];
      want(
        isPublic || region !== undefined,
        "AWS",
        "ACCOUNT.dkr.ecr.REGION.amazonaws.com, or public.ecr.aws",
      );
      // The public registry's tokens are made in one region alone.
      const argv = [
        "aws",
        isPublic ? "ecr-public" : "ecr",
        "get-login-password",
        "--region",
        region ?? "us-east-1",
      ];
      return { kind: "exchange", argv, answer: "text", livesSeconds: 12 * HOUR };
    }
    case "acr": {
      const name = ACR.exec(registry)?.[1];
      want(name !== undefined, ACR_USERNAME, "NAME.azurecr.io");
      const argv = ["az", "acr", "login", "--name", name ?? "", "--expose-token", "--output", "json"];
      return { kind: "exchange", argv, answer: "acr", livesSeconds: 3 * HOUR };
    }
    case "google":
      want(GOOGLE.test(registry), "oauth2accesstoken", "REGION-docker.pkg.dev, or gcr.io");
      return {
        kind: "exchange",
        argv: ["gcloud", "config", "config-helper", "--format=json"],
        answer: "google",
        livesSeconds: HOUR,
      };
    case "ghcr":
      want(registry === "ghcr.io", undefined, "ghcr.io");
      // Nobody says when gh's token ends: it is asked for each time.
      return { kind: "exchange", argv: ["gh", "auth", "token"], answer: "text", livesSeconds: undefined };
    default:
      throw reader.fault(
        field.value,
        `exchange of ${what} knows no such provider`,
        `one of ${PROVIDERS.join(", ")}; or { helper: NAME }, or { command: [program], lives: 1h }`,
      );
  }
}

function parseLife(reader: YamlReader, field: Field, label: string): number {
  const text = reader.text(field, label);
  const [, number, unit] = /^([1-9]\d{0,4})(m|h|d)$/.exec(text) ?? [];
  if (number === undefined) throw reader.fault(field.value, `${label} must be a time`, "as 45m, 12h or 30d");
  return Number(number) * (unit === "m" ? 60 : unit === "h" ? HOUR : 24 * HOUR);
}
