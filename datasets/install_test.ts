import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { withFolder } from "./parts/fixtures.ts";
import { idxSource } from "./parts/idx_dataset.ts";
import { sha256Hex } from "../harness/core/image_set.ts";
import { fileInstaller, findInstaller } from "./install.ts";

Deno.test("fileInstaller() downloads and decodes a data set once", async () => {
  const images = Uint8Array.of(
    0,
    0,
    8,
    3,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    28,
    0,
    0,
    0,
    28,
    ...new Array(784).fill(9),
  );
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 4);
  const served = new Map([["/i.gz", gzipSync(images)], ["/l.gz", gzipSync(labels)]]);
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const { pathname } = new URL(url);
    requested.push(pathname);
    return new Response(new Uint8Array(served.get(pathname) ?? []));
  });
  const file = (name: string, content: Uint8Array) => {
    const packed = served.get(`/${name}`) ?? new Uint8Array();
    return {
      name,
      url: `http://127.0.0.1:${server.addr.port}/${name}`,
      bytes: packed.length,
      sha256: sha256Hex(packed),
      unpackedSha256: sha256Hex(content),
    };
  };
  const part = { images: file("i.gz", images), labels: file("l.gz", labels) };
  const installer = fileInstaller(idxSource({
    name: "tiny",
    label: "Tiny",
    source: "made here",
    counts: { train: 1, test: 1 },
    parts: { train: part, test: part },
  }));
  const before = Deno.env.get("LAEBENCH_DATA");
  try {
    await withFolder(async (folder) => {
      Deno.env.set("LAEBENCH_DATA", folder);
      const lines: string[] = [];
      const options = { log: (line: string) => lines.push(line), onProgress: () => {} };
      assert.equal(await installer.isInstalled(), false);
      await installer.install(options);
      assert.equal(await installer.isInstalled(), true);
      assert.deepEqual(requested, ["/i.gz", "/l.gz"]);
      assert.deepEqual(lines, [
        "tiny: i.gz: downloaded, 0.0 MB",
        "tiny: l.gz: downloaded, 0.0 MB",
        `tiny: 1 train images decoded into ${folder}/decoded`,
        `tiny: 1 test images decoded into ${folder}/decoded`,
      ]);
      await installer.install(options);
      assert.equal(requested.length, 2);
    });
  } finally {
    if (before === undefined) Deno.env.delete("LAEBENCH_DATA");
    else Deno.env.set("LAEBENCH_DATA", before);
    await server.shutdown();
  }
});

Deno.test("findInstaller() accepts CelebA-HQ with and without its size", () => {
  for (const name of ["celeba_hq", "celeba_hq_32", "celeba_hq_64"]) {
    assert.equal(findInstaller(name).name, "celeba_hq");
  }
  assert.throws(() => findInstaller("svhn_32x"), RangeError);
});
