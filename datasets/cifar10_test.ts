import assert from "node:assert/strict";
import { assertSameBytes, fixture, fixtureImages } from "./parts/fixtures.ts";
import { decodeCifar10 } from "./cifar10.ts";

async function decodeFixture(name: string, split: "train" | "test") {
  const file = await Deno.open(fixture(name));
  return await decodeCifar10(file.readable, { split, what: name });
}

for (const name of ["cifar10_binary.tar.gz", "cifar10_python.tar.gz"]) {
  Deno.test(`decodeCifar10() reads the batches in numerical order from ${name}`, async () => {
    const train = await decodeFixture(name, "train");
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    assertSameBytes(train.pixels, fixtureImages(numbers, train.image));
    assert.deepEqual([...train.labels ?? []], numbers);
    const test = await decodeFixture(name, "test");
    assertSameBytes(test.pixels, fixtureImages([10, 11], test.image));
    assert.deepEqual([...test.labels ?? []], [0, 1]);
  });
}

Deno.test("decodeCifar10() names missing batches", async () => {
  const file = await Deno.open(fixture("grey.tar.gz"));
  await assert.rejects(
    decodeCifar10(file.readable, { split: "train", what: "grey.tar.gz" }),
    /^SyntaxError: grey\.tar\.gz lacks data_batch_1, data_batch_2, data_batch_3/,
  );
});

Deno.test("decodeCifar10() refuses a truncated archive and a file that is not an archive", async () => {
  const whole = await Deno.readFile(fixture("cifar10_binary.tar.gz"));
  for (const bytes of [whole.slice(0, 5000), new Uint8Array(5000)]) {
    const stream = new Blob([bytes]).stream();
    await assert.rejects(decodeCifar10(stream, { split: "test", what: "x" }));
  }
});
