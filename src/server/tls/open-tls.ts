import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { AppError, type Logger, Secret, toAppError } from "#core";
import { type Clock, readMachineNames, readTextLimited } from "#system";
import type { TlsMaterial } from "../listener.ts";
import { isWildcard } from "../options/listen-address.ts";
import type { ServeOptions, TlsOptions } from "../options/parse-serve-options.ts";
import { type OwnCa, openOwnCa } from "./own-ca.ts";

const LOOK_MS = 30_000;
const RENEW_BEFORE_MS = 30 * 86_400_000;
const MAX_PEM_BYTES = 1024 * 1024;

/** The certificate that the server shows, kept up to date. */
export interface OpenTls {
  /** undefined: plain HTTP. */
  readonly material: TlsMaterial | undefined;
  readonly ca: OwnCa | undefined;
  /** Gives `use` each later certificate (files changed, own one renewed) until the returned function is called. */
  follow(use: (material: TlsMaterial) => void): () => void;
  /** Looks now. A pair that cannot be used is logged, and the old one stays. */
  reload(): Promise<void>;
}

/** Throws CONFIG_INVALID for certificate files that cannot be used. */
export async function openTls(
  options: ServeOptions,
  parts: { readonly log: Logger; readonly clock: Clock },
): Promise<OpenTls> {
  const { tls } = options;
  if (tls.kind === "none")
    return {
      material: undefined,
      ca: undefined,
      follow: () => () => undefined,
      reload: async () => undefined,
    };
  if (tls.kind === "files") {
    const first = await readPair(tls);
    return following(first, undefined, parts.log, async (current) => {
      const next = await readPair(tls);
      return next.cert === current.cert && next.key.equals(current.key) ? undefined : next;
    });
  }
  const ca = await openOwnCa(options.dataDir, parts.clock.now());
  const names = serverNames(options);
  return following(ca.issue(names, parts.clock.now()), ca, parts.log, async (current) => {
    const left = new X509Certificate(current.cert).validToDate.getTime() - parts.clock.now();
    return left > RENEW_BEFORE_MS ? undefined : ca.issue(names, parts.clock.now());
  });
}

type Look = (current: TlsMaterial) => Promise<TlsMaterial | undefined>;

function following(first: TlsMaterial, ca: OwnCa | undefined, log: Logger, look: Look): OpenTls {
  let current = first;
  let use: ((material: TlsMaterial) => void) | undefined;
  const reload = async (): Promise<void> => {
    try {
      const next = await look(current);
      if (next === undefined || use === undefined) return;
      use(next);
      current = next;
      log.info("new certificate in use", { expiresAt: new X509Certificate(next.cert).validToDate });
    } catch (cause) {
      // Half-written files of somebody who renews are seen again at the next look.
      log.warn("the certificate could not be renewed; the old one stays", { error: toAppError(cause) });
    }
  };
  return {
    material: first,
    ca,
    follow(next) {
      use = next;
      const timer = setInterval(() => void reload(), LOOK_MS);
      timer.unref();
      return () => {
        use = undefined;
        clearInterval(timer);
      };
    },
    reload,
  };
}

async function readPair(files: Extract<TlsOptions, { kind: "files" }>): Promise<TlsMaterial> {
  const [cert, key] = await Promise.all([
    readPem(files.certFile, "--tls-cert"),
    readPem(files.keyFile, "--tls-key"),
  ]);
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new AppError(
      "CONFIG_INVALID",
      `${files.certFile} and ${files.keyFile} are not a certificate and a private key in PEM`,
      {
        hint: "the key must not have a passphrase",
        cause,
      },
    );
  }
  if (fits) return { cert, key: new Secret(key) };
  throw new AppError(
    "CONFIG_INVALID",
    `the key in ${files.keyFile} does not belong to the certificate in ${files.certFile}`,
    {
      hint: "the server's certificate must be the first one in its file",
    },
  );
}

async function readPem(file: string, option: string): Promise<string> {
  const text = await readTextLimited(file, MAX_PEM_BYTES);
  if (text !== undefined) return text;
  throw new AppError("CONFIG_INVALID", `${option}: there is no file ${file}`);
}

/** Every name and address that clients may call this server by, as far as it can know. */
function serverNames(options: ServeOptions): string[] {
  const machine = readMachineNames();
  const names = ["localhost", "127.0.0.1", "::1"];
  if (isWildcard(options.listen.host)) names.unshift(machine.hostname, ...machine.addresses);
  else names.unshift(options.listen.host);
  if (options.publicUrl !== undefined)
    names.unshift(new URL(options.publicUrl).hostname.replace(/^\[|\]$/g, ""));
  // What is neither an address nor a host name (an underscore, a control character) would spoil the certificate.
  const isName = (name: string): boolean =>
    isIP(name) !== 0 || /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(name);
  return [...new Set(names.map((name) => name.toLowerCase()))].filter(isName);
}
