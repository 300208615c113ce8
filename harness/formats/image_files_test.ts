import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { withTempDir } from "../testing/temp_dir.ts";
import { hasStatistics } from "./image_archives.ts";
import { openImageFiles } from "./image_files.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** An entry of a tar archive: a file, or a link to `target`. */
interface Entry {
  readonly name: string;
  readonly content?: string;
  readonly target?: string;
  readonly hard?: boolean;
}

/** A ustar archive. */
function tar(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const parts = entries.flatMap(({ name, content = "", target, hard }) => {
    const header = new Uint8Array(512);
    const put = (at: number, value: string) => header.set(text(value), at);
    const body = text(content);
    put(0, name);
    put(124, body.length.toString(8).padStart(11, "0"));
    put(148, " ".repeat(8));
    put(156, target === undefined ? "0" : hard ? "1" : "2");
    put(157, target ?? "");
    put(148, `${header.reduce((a, b) => a + b, 0).toString(8).padStart(6, "0")}\0 `);
    return [...header, ...body, ...new Uint8Array((512 - body.length % 512) % 512)];
  });
  return Uint8Array.from([...parts, ...new Uint8Array(1024)]);
}

/** A zip archive whose members `links` are symbolic links. */
function zip(
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
) {
  const LINK = { os: 3, attrs: (0o120777 << 16) >>> 0 };
  return zipSync(Object.fromEntries([
    ...Object.entries(files).map(([name, content]) => [name, text(content)]),
    ...Object.entries(links).map(([name, target]) => [name, [text(target), LINK]]),
  ])) as Uint8Array<ArrayBuffer>;
}

/** Names and contents of the images at `path`, and what was skipped. */
async function read(path: string) {
  const files = await openImageFiles(path);
  const found: Record<string, string> = {};
  for await (const { name, bytes } of files.files()) found[name] = new TextDecoder().decode(bytes);
  return { found, skipped: files.skipped() };
}

async function writeAll(root: string, files: Readonly<Record<string, string>>) {
  for (const [name, content] of Object.entries(files)) {
    await Deno.mkdir(join(root, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, name), content);
  }
}

const FILES = {
  "a.png": "A",
  "b/c.JPG": "C",
  "b/d.jfif": "D",
  ".ipynb_checkpoints/a-checkpoint.png": "hidden",
  "__MACOSX/._a.png": "hidden",
  "b/.thumbnails/c.jpg": "hidden",
  "notes.txt": "text",
  "LICENSE": "text",
};
const READ = { "a.png": "A", "b/c.JPG": "C", "b/d.jfif": "D" };
const SKIPPED = /^Skipped 5 files of .*: 3 hidden, 2 not images \(\.txt, without an ending\)$/;

Deno.test("a folder and every archive give the same images, and say what they skipped", () =>
  withTempDir(async (dir) => {
    await writeAll(join(dir, "set"), FILES);
    const entries = Object.entries(FILES).map(([name, content]) => ({ name, content }));
    await Deno.writeFile(join(dir, "set.zip"), zip(FILES));
    await Deno.writeFile(join(dir, "set.tar"), tar(entries));
    await Deno.writeFile(join(dir, "set.tgz"), gzipSync(tar(entries)));
    for (const name of ["set", "set.zip", "set.tar", "set.tgz"]) {
      const { found, skipped } = await read(join(dir, name));
      assert.deepEqual(found, READ, name);
      assert.match(skipped ?? "nothing", SKIPPED, name);
    }
  }));

Deno.test("links are pictures too: of a folder, of a zip archive, symbolic and hard ones of a tar archive", () =>
  withTempDir(async (dir) => {
    const set = join(dir, "set");
    await writeAll(set, { "a/x.png": "X" });
    await Deno.symlink("a/x.png", join(set, "y.png"));
    await Deno.symlink("a", join(set, "b"));
    assert.deepEqual((await read(set)).found, { "a/x.png": "X", "b/x.png": "X", "y.png": "X" });
    await Deno.writeFile(
      join(dir, "set.zip"),
      zip({ "a/x.png": "X" }, { "y.png": "a/x.png", "a/z.png": "../y.png" }),
    );
    const all = { "a/x.png": "X", "y.png": "X", "a/z.png": "X" };
    assert.deepEqual((await read(join(dir, "set.zip"))).found, all);
    await Deno.writeFile(
      join(dir, "set.tar"),
      tar([
        { name: "y.png", target: "a/x.png" },
        { name: "a/x.png", content: "X" },
        { name: "a/z.png", target: "a/x.png", hard: true },
      ]),
    );
    assert.deepEqual((await read(join(dir, "set.tar"))).found, all);
  }));

Deno.test("links to nothing, to themselves and to the folder around them", () =>
  withTempDir(async (dir) => {
    const set = join(dir, "set");
    await writeAll(set, { "a.png": "A" });
    await Deno.symlink("..", join(set, "up"));
    await Deno.symlink(set, join(set, "me"));
    const { found, skipped } = await read(set);
    assert.deepEqual(found, { "a.png": "A" });
    assert.match(skipped ?? "", /: [12] links to a folder that contains them$/);
    await Deno.symlink("gone.png", join(set, "b.png"));
    await assert.rejects(read(set), /b\.png is a link to a file that does not exist: restore/);
    await Deno.remove(join(set, "b.png"));
    await Deno.symlink("c.png", join(set, "c.png"));
    await assert.rejects(read(set), /c\.png is a link that leads back to itself: remove it/);
    await Deno.writeFile(join(dir, "dead.zip"), zip({}, { "a.png": "b.png", "b.png": "a.png" }));
    await assert.rejects(read(join(dir, "dead.zip")), /dead\.zip: entry "a\.png" is a link to/);
    await Deno.writeFile(join(dir, "dead.tar"), tar([{ name: "a.png", target: "gone.png" }]));
    await assert.rejects(read(join(dir, "dead.tar")), /dead\.tar: entry "a\.png" is a link to/);
  }));

Deno.test("paths that cannot be opened are named in a line that says why", () =>
  withTempDir(async (dir) => {
    const at = (name: string) => join(dir, name);
    await Deno.symlink("gone", at("dead.zip"));
    await Deno.symlink("loop.zip", at("loop.zip"));
    await Deno.writeTextFile(at("file.zip"), "x");
    for (const name of ["zip", "tar", "tgz", "npz", "npy"]) {
      await Deno.writeTextFile(at(`0.${name}`), "");
    }
    const long = "a".repeat(300);
    const cases: [string, RegExp][] = [
      ["dead.zip", /^Error: .*dead\.zip is a link to a file that does not exist: restore/],
      ["loop.zip", /^Error: .*loop\.zip is a link that leads back to itself: remove it$/],
      ["file.zip/a", /^Error: File or folder not found: .*file\.zip\/a$/],
      [long, /^Error: .*aaa cannot be used: file name too long$/],
      ...["zip", "tar", "tgz", "npz", "npy"].map((name) =>
        [`0.${name}`, new RegExp(`^Error: .*0\\.${name} is empty$`)] as [string, RegExp]
      ),
    ];
    for (const [name, message] of cases) {
      await assert.rejects(read(at(name)), (error) => {
        assert.match(String(error), message);
        return true;
      });
    }
  }));

Deno.test({
  name: "files and folders with names that are not UTF-8 are refused by name",
  ignore: Deno.build.os !== "linux", // elsewhere such names cannot be made
  fn: () =>
    withTempDir(async (dir) => {
      for (const [set, name] of [["files", "\\377.png"], ["folders", "\\377/a.png"]]) {
        // Deno's paths are UTF-8, so a shell makes the name.
        const script =
          `mkdir "$1"; n=$(printf '${name}'); mkdir -p "$(dirname "$1/$n")"; echo x > "$1/$n"`;
        const made = await new Deno.Command("sh", { args: ["-c", script, "sh", join(dir, set)] })
          .output();
        assert.ok(made.success, new TextDecoder().decode(made.stderr));
        await assert.rejects(
          read(join(dir, set)),
          /cannot be opened: perhaps its name is not UTF-8/,
        );
      }
    }),
});

Deno.test("a .gz file of several members is read whole, a truncated one is named", () =>
  withTempDir(async (dir) => {
    const whole = tar([{ name: "a.png", content: "A" }, { name: "b.png", content: "B" }]);
    const [head, tail] = [whole.subarray(0, 700), whole.subarray(700)];
    await Deno.writeFile(
      join(dir, "two.tar.gz"),
      Uint8Array.from([...gzipSync(head), ...gzipSync(tail)]),
    );
    assert.deepEqual((await read(join(dir, "two.tar.gz"))).found, { "a.png": "A", "b.png": "B" });
    await Deno.writeFile(join(dir, "cut.tgz"), gzipSync(whole).subarray(0, 60));
    await assert.rejects(read(join(dir, "cut.tgz")), /cut\.tgz: broken or truncated/);
  }));

Deno.test("images in formats that are not read are refused by name, as are archives, bombs and pickles", () =>
  withTempDir(async (dir) => {
    const write = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
      await Deno.writeFile(join(dir, name), bytes);
      return read(join(dir, name));
    };
    await assert.rejects(
      write("a.zip", zip({ "x.bmp": "" })),
      /x\.bmp: \.bmp is not read: convert/,
    );
    await assert.rejects(write("a.tar.bz2", text("x")), /\.tar\.bz2 is not read: repack it as/);
    await assert.rejects(write("a.tar.xz", text("x")), /\.tar\.xz is not read: repack it as/);
    await assert.rejects(
      write("a.pkl", text("x")),
      /a\.pkl is a pickled object: convert statistics/,
    );
    await assert.rejects(write("a.rtf", text("x")), /is not a supported source of images/);
    const bomb = zipSync({ "x.png": new Uint8Array(2 ** 28 + 1) }, { level: 9 });
    assert.ok(bomb.length < 2 ** 20);
    await assert.rejects(
      write("bomb.zip", bomb as Uint8Array<ArrayBuffer>),
      /bomb\.zip: entry "x\.png" unpacks to 268435457 bytes: too large for an image/,
    );
  }));

Deno.test("arrays of images are read from .npz, told apart from statistics", () =>
  withTempDir(async (dir) => {
    const path = join(dir, "images.npz");
    await Deno.writeFile(path, zip({ "arr_1.npy": "labels", "arr_0.npy": "images" }));
    assert.deepEqual((await read(path)).found, { "arr_0.npy": "images" });
    assert.equal(hasStatistics(path), false);
    await Deno.writeFile(path, zip({ "mu.npy": "", "sigma.npy": "" }));
    assert.equal(hasStatistics(path), true);
    await assert.rejects(read(path), /images\.npz: no array arr_0, only mu, sigma/);
  }));
