import assert from "node:assert/strict";
import { join } from "node:path";
import { firstFile, weightsCandidates } from "./find_weights.ts";

Deno.test("weightsCandidates() lists the folders of torch.hub and TTUR, the most specific setting first", () => {
  const env: Record<string, string> = {
    HOME: "/h",
    TORCH_HOME: "/t",
    XDG_CACHE_HOME: "/x",
    TMPDIR: "/tmp",
  };
  const paths = weightsCandidates((name) => env[name]);
  assert.equal(paths[0], join("/t/hub/checkpoints", "pt_inception-2015-12-05-6726825d.pth"));
  assert.equal(paths[1], join("/t/hub/checkpoints", "weights-inception-2015-12-05-6726825d.pth"));
  assert.ok(
    paths.indexOf(join("/x/torch/hub/checkpoints", "pt_inception-2015-12-05-6726825d.pth")) === 2,
  );
  assert.ok(
    paths.includes(join("/h/.cache/torch/checkpoints", "pt_inception-2015-12-05-6726825d.pth")),
  );
  assert.equal(paths.at(-1), join("/tmp", "classify_image_graph_def.pb"));
  assert.deepEqual(weightsCandidates(() => undefined), [
    join("/tmp", "classify_image_graph_def.pb"),
  ]);
});

Deno.test("firstFile() skips missing paths and folders", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "b");
    await Deno.writeTextFile(file, "");
    assert.equal(await firstFile([join(folder, "a"), folder, file, join(folder, "c")]), file);
    assert.equal(await firstFile([folder]), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
