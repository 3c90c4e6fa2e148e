import { programPath } from "../../test/support/programs.ts";
import { mustRun } from "../../test/support/run-program.ts";
import type { Scratch } from "../../test/support/scratch.ts";

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A self-signed certificate for loopback, made now: all servers of a run use the same one. */
export async function createCertificate(scratch: Scratch): Promise<TlsFiles> {
  const files = { certificate: scratch.at("tls.crt"), key: scratch.at("tls.key") };
  await mustRun([
    programPath("openssl"),
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=127.0.0.1",
    "-addext",
    "subjectAltName=IP:127.0.0.1",
    "-keyout",
    files.key,
    "-out",
    files.certificate,
  ]);
  return files;
}
