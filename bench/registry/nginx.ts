import { mkdirSync, writeFileSync } from "node:fs";
import { freePort } from "../../test/support/distribution.ts";
import { programPath } from "../../test/support/programs.ts";
import type { Scratch } from "../../test/support/scratch.ts";
import { until } from "../../test/support/until.ts";
import type { TlsFiles } from "./certificate.ts";

/** A real nginx that serves a folder with sendfile: the limit of reading. */
export interface Nginx {
  readonly url: string;
  readonly root: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts one, a worker for each core; needs the program `nginx`. */
export async function startNginx(scratch: Scratch, tls?: TlsFiles): Promise<Nginx> {
  const folder = scratch.at("nginx");
  const root = `${folder}/root`;
  mkdirSync(root, { recursive: true });
  const port = freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(" ");
  writeFileSync(
    `${folder}/nginx.conf`,
    `
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes auto;
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  ${temporary}
  server {
    listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl"};
    ${tls === undefined ? "" : `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`}
    root ${root};
  }
}
`,
  );
  const child = Bun.spawn([programPath("nginx"), "-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  await until("nginx answers", async () => {
    if (child.exitCode !== null) {
      throw new Error(`nginx did not start: ${await Bun.file(`${folder}/error.log`).text()}`);
    }
    const answer = await fetch(url, { tls: { rejectUnauthorized: false } }).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer === undefined ? undefined : true;
  });
  return {
    url,
    root,
    pid: child.pid,
    stop: async () => {
      child.kill("SIGQUIT");
      await child.exited;
    },
  };
}
