import assert from "node:assert/strict";
import { cardsFor, environmentOf, sharedCards } from "./gpus.ts";

Deno.test("cardsFor() takes the cards that this process may use, else all, for CUDA only", () => {
  const both = { count: 2, visible: undefined };
  for (const device of ["cuda", "cuda:highest,deterministic", "tfjs-node-gpu"]) {
    assert.deepEqual(cardsFor(device, both), ["0", "1"]);
  }
  for (const device of ["cpu", "webgpu", "pjrt:/cuda/plugin.so"]) {
    assert.deepEqual(cardsFor(device, both), []);
  }
  const visible = (value: string) => cardsFor("cuda", { visible: value, count: 8 });
  assert.deepEqual(visible("3"), ["3"]);
  assert.deepEqual(visible("5, GPU-7c1d,2"), ["5", "GPU-7c1d", "2"]);
  assert.deepEqual(visible("1,-1,2"), ["1"], "CUDA stops at what is no card");
  assert.deepEqual(visible(""), [], "none may be used");
});

Deno.test("environmentOf() gives each slot its card, and goes round", () => {
  const cards = ["2", "GPU-7c1d"];
  const given = [0, 1, 2].map((slot) => environmentOf(slot, cards).CUDA_VISIBLE_DEVICES);
  assert.deepEqual(given, ["2", "GPU-7c1d", "2"]);
  assert.deepEqual(environmentOf(0, []), {}, "the parent's stays");
});

Deno.test("sharedCards() warns of more runs at a time than cards", () => {
  assert.equal(sharedCards("cuda", { cards: ["0", "1"], jobs: 2 }), undefined);
  assert.equal(sharedCards("cuda", { cards: [], jobs: 1 }), undefined);
  assert.equal(sharedCards("cpu", { cards: [], jobs: 8 }), undefined);
  assert.equal(
    sharedCards("cuda", { cards: ["0", "1"], jobs: 3 }),
    "3 runs at a time share 2 of NVIDIA's cards: --jobs 2 gives each its own",
  );
  assert.match(sharedCards("cuda", { cards: [], jobs: 2 }) ?? "", /CUDA_VISIBLE_DEVICES/);
});
