import { createHash } from "node:crypto";
import { renderTarItems } from "./tar-writer.ts";

/** A small image for linux/amd64 as `docker save` writes one, named `saved:1`. */
export function savedImage(): Buffer {
  const layer = renderTarItems([{ path: "hello", content: "hello\n" }]);
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const config = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [diffId] } };
  return renderTarItems([
    {
      path: "manifest.json",
      content: JSON.stringify([{ Config: "config.json", RepoTags: ["saved:1"], Layers: ["layer.tar"] }]),
    },
    { path: "config.json", content: JSON.stringify(config) },
    { path: "layer.tar", content: layer },
  ]);
}
