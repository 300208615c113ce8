import assert from "node:assert/strict";
import { join } from "node:path";
import { fixture, withFolder } from "../../datasets/parts/fixtures.ts";
import { main } from "./data.ts";

/** Calls the program with the data folder `folder`; returns its exit code and output. */
async function call(
  folder: string,
  ...args: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const before = Deno.env.get("LAEBENCH_DATA");
  const { log, error } = console;
  const [out, err]: string[][] = [[], []];
  console.log = (line: string) => out.push(line);
  console.error = (line: string) => err.push(line);
  Deno.env.set("LAEBENCH_DATA", folder);
  try {
    const code = await main(args);
    return { code, out: out.join("\n"), err: err.join("\n") };
  } finally {
    Object.assign(console, { log, error });
    if (before === undefined) Deno.env.delete("LAEBENCH_DATA");
    else Deno.env.set("LAEBENCH_DATA", before);
  }
}

Deno.test("data --list names every set with size and licence", async () => {
  await withFolder(async (folder) => {
    const { code, out } = await call(folder, "--list");
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^Data folder: ${folder}`));
    for (const name of ["fashion_mnist", "mnist", "svhn", "cifar10", "celeba_hq"]) {
      assert.match(out, new RegExp(`^${name} +missing +\\d+ images`, "m"));
    }
    assert.match(out, /^svhn .* 246\.3 MB to download\n.*non-commercial use only$/m);
  });
});

for (
  const [criterion, args, code, message] of [
    ["no name", [], 2, /^Name a data set: --list shows them$/],
    [
      "an unknown name",
      ["svnh"],
      2,
      /^Unknown data set "svnh": known data sets to install are fashion_mnist/,
    ],
    [
      "--from with two names",
      ["svhn", "mnist", "--from", "x"],
      2,
      /^--from takes one data set/,
    ],
    ["CelebA-HQ without --from", ["celeba_hq"], 1, /^CelebA-HQ has no reliable open download/],
    ["a size of CelebA-HQ", ["celeba_hq_64"], 1, /^CelebA-HQ has no reliable open download/],
    [
      "a missing folder",
      ["svhn", "--from", "/nowhere"],
      1,
      /^File train_32x32\.mat of data set "svhn" is not in \/nowhere/,
    ],
    [
      "an archive of other images",
      ["celeba_hq", "--from", fixture("pictures.zip")],
      1,
      /^CelebA-HQ must have 30000 images, got 5/,
    ],
  ] as const
) {
  Deno.test(`data refuses ${criterion} in one line and writes nothing`, async () => {
    await withFolder(async (folder) => {
      const data = join(folder, "data");
      const { code: actual, err } = await call(data, ...args);
      assert.equal(actual, code);
      assert.match(err, message);
      assert(!err.includes("\n"));
      await assert.rejects(Deno.stat(data), Deno.errors.NotFound);
    });
  });
}

Deno.test("data --from refuses files that differ from the published ones and keeps nothing", async () => {
  await withFolder(async (folder) => {
    const given = join(folder, "given");
    await Deno.mkdir(given);
    await Deno.copyFile(fixture("svhn_plain.mat"), join(given, "train_32x32.mat"));
    const { code, err } = await call(folder, "svhn", "--from", given);
    assert.equal(code, 1);
    assert.match(
      err,
      /train_32x32\.mat must have the 182040794 bytes of train_32x32\.mat, got \d+: it is another/,
    );
    await Deno.writeTextFile(
      join(given, "cifar-10-binary.tar.gz"),
      "<!DOCTYPE html><title>503</title>",
    );
    const page = await call(folder, "cifar10", "--from", join(given, "cifar-10-binary.tar.gz"));
    assert.match(page.err, /cifar-10-binary\.tar\.gz must have the .*, got 33: it is a web page/);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["given"]);
  });
});
