import assert from "node:assert/strict";
import { join } from "node:path";
import type { DatasetFile } from "../../harness/core/types.ts";
import { assertSameBytes } from "./fixtures.ts";
import { downloadFile } from "./download.ts";
import { sha256Hex } from "../../harness/core/image_set.ts";

/** 100,000 bytes in which neighbours differ. */
const CONTENT = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
/** Options with short waits: a stalled connection is closed after 0.2 s. */
const QUICK = { retries: 3, backoffSeconds: 0.01, stallSeconds: 0.2 };

type Handler = (request: Request, attempt: number) => Response;

/** Serves `handler` on this machine while `body` runs; records the requests. */
async function withServer(
  handler: Handler,
  body: (
    work: { file: DatasetFile; path: string; requests: Request[] },
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const requests: Request[] = [];
  const stop = new AbortController(); // shutdown() would wait for bodies that never end
  const options = { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} };
  const server = Deno.serve(options, (request) => {
    requests.push(request);
    return handler(request, requests.length);
  });
  try {
    const file: DatasetFile = {
      name: "data.bin",
      url: `http://127.0.0.1:${server.addr.port}/data.bin`,
      bytes: CONTENT.length,
      sha256: sha256Hex(CONTENT),
    };
    await body({ file, path: join(folder, "set", "data.bin"), requests });
  } finally {
    stop.abort();
    await server.finished;
    await Deno.remove(folder, { recursive: true });
  }
}

/** Answers like a server that supports ranges. */
function ranged(request: Request): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  if (start === 0) return new Response(CONTENT);
  const headers = { "content-range": `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` };
  return new Response(CONTENT.subarray(start), { status: 206, headers });
}

/** A response whose body fails or stalls after `bytes` bytes. */
function broken(bytes: number, then: "stalls" | "breaks"): Response {
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (!sent) {
        controller.enqueue(CONTENT.slice(0, bytes));
        sent = true;
        return;
      }
      if (then === "breaks") controller.error(new Error("connection lost"));
      return new Promise(() => {});
    },
  });
  return new Response(body);
}

async function assertWhole(path: string): Promise<void> {
  assertSameBytes(await Deno.readFile(path), CONTENT);
  await assertNoPart(path);
}

async function assertNoPart(path: string): Promise<void> {
  await assert.rejects(Deno.stat(`${path}.part`), Deno.errors.NotFound);
}

Deno.test("downloadFile() downloads once and reports progress", async () => {
  await withServer(ranged, async ({ file, path, requests }) => {
    const progress: number[] = [];
    const onProgress = (bytes: number) => progress.push(bytes);
    assert.equal(await downloadFile({ file, path }, { ...QUICK, onProgress }), true);
    await assertWhole(path);
    assert.equal(progress.at(-1), CONTENT.length);
    assert(progress.every((bytes, i) => i === 0 || bytes > progress[i - 1]));
    assert.equal(await downloadFile({ file, path }, QUICK), false);
    assert.equal(requests.length, 1);
  });
});

for (const then of ["stalls", "breaks"] as const) {
  Deno.test(`downloadFile() resumes when the server ${then}`, async () => {
    const handler: Handler = (request, attempt) =>
      attempt === 1 ? broken(30_000, then) : ranged(request);
    await withServer(handler, async ({ file, path, requests }) => {
      await downloadFile({ file, path }, QUICK);
      await assertWhole(path);
      assert.equal(requests.length, 2);
      assert.equal(requests[1].headers.get("range"), "bytes=30000-");
    });
  });
}

Deno.test("downloadFile() restarts if the server ignores ranges", async () => {
  const handler: Handler = (_, attempt) =>
    attempt === 1 ? broken(30_000, "breaks") : new Response(CONTENT);
  await withServer(handler, async ({ file, path }) => {
    await downloadFile({ file, path }, QUICK);
    await assertWhole(path);
  });
});

Deno.test("downloadFile() resumes the part of an earlier call", async () => {
  await withServer(ranged, async ({ file, path, requests }) => {
    await Deno.mkdir(join(path, ".."));
    await Deno.writeFile(`${path}.part`, CONTENT.slice(0, 99_999));
    await downloadFile({ file, path }, QUICK);
    await assertWhole(path);
    assert.deepEqual(requests.map((r) => r.headers.get("range")), ["bytes=99999-"]);
  });
});

Deno.test("downloadFile() restarts if the part of an earlier call is wrong", async () => {
  await withServer(ranged, async ({ file, path, requests }) => {
    await Deno.mkdir(join(path, ".."));
    await Deno.writeFile(`${path}.part`, new Uint8Array(50_000));
    await downloadFile({ file, path }, QUICK);
    await assertWhole(path);
    assert.deepEqual(requests.map((r) => r.headers.get("range")), ["bytes=50000-", null]);
  });
});

Deno.test("downloadFile() restarts if the server cannot satisfy the range", async () => {
  const handler: Handler = (request) =>
    request.headers.has("range") ? new Response(null, { status: 416 }) : new Response(CONTENT);
  await withServer(handler, async ({ file, path }) => {
    await Deno.mkdir(join(path, ".."));
    await Deno.writeFile(`${path}.part`, CONTENT.slice(0, 10));
    await downloadFile({ file, path }, QUICK);
    await assertWhole(path);
  });
});

Deno.test("downloadFile() doubles its wait after each refusal by a busy server", async () => {
  const times: number[] = [];
  const handler: Handler = (request, attempt) => {
    times.push(performance.now());
    return attempt <= 3 ? new Response("busy", { status: 503 }) : ranged(request);
  };
  await withServer(handler, async ({ file, path }) => {
    await downloadFile({ file, path }, { ...QUICK, backoffSeconds: 0.02 });
    await assertWhole(path);
    const waits = times.slice(1).map((time, i) => time - times[i]);
    // Sleeps of 20, 40 and 80 ms end at most 1 ms early, the resolution of the timer.
    assert(waits.every((wait, i) => wait >= 20 * 2 ** i - 1), `${waits}`);
  });
});

for (
  const [criterion, handler, message, tries] of [
    [
      "404 at once",
      () => new Response("no", { status: 404 }),
      /^Download of http:.*data\.bin failed: the server answered 404 Not Found$/,
      1,
    ],
    [
      "503 after all tries",
      () => new Response("busy", { status: 503 }),
      /failed after 4 tries: the server answered 503 Service Unavailable$/,
      4,
    ],
    [
      "a page of HTML in place of the file",
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
      /the server sends 6 bytes of text\/html, expected 100000$/,
      1,
    ],
    [
      "wrong bytes after all tries",
      () => new Response(CONTENT.with(70_000, 1)),
      /after 4 tries: the 100000 bytes received have SHA-256 [0-9a-f]{64}, expected/,
      4,
    ],
    [
      "more bytes than expected",
      () => new Response(new Blob([CONTENT, CONTENT]).stream()),
      /the server sends more than the expected 100000 bytes$/,
      1,
    ],
    [
      "a body that always ends early",
      () => new Response(new Blob([CONTENT.slice(0, 10)]).stream()),
      /after 4 tries: the connection ended after 10 of 100000 bytes$/,
      4,
    ],
    [
      "a server that never sends data",
      () => broken(0, "stalls"),
      /after 4 tries: no data for 0\.2 s after 0 of 100000 bytes$/,
      4,
    ],
  ] satisfies [string, Handler, RegExp, number][]
) {
  Deno.test(`downloadFile() fails on ${criterion} and leaves no file`, async () => {
    await withServer(handler, async ({ file, path, requests }) => {
      await assert.rejects(downloadFile({ file, path }, QUICK), (error: Error) => {
        assert.match(error.message, message);
        return true;
      });
      assert.equal(requests.length, tries);
      await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
    });
  });
}

Deno.test("downloadFile() fails if the server is down", async () => {
  const { file, path } = await new Promise<{ file: DatasetFile; path: string }>((resolve) =>
    withServer(ranged, (work) => Promise.resolve(resolve(work)))
  );
  await new Promise((resolve) => setTimeout(resolve, 50)); // the server is gone
  await assert.rejects(
    downloadFile({ file, path }, { ...QUICK, retries: 1 }),
    /^Error: Download of http:.* failed after 2 tries/,
  );
  await Deno.remove(join(path, "..", ".."), { recursive: true });
});

Deno.test("concurrent calls of downloadFile() download once", async () => {
  await withServer(ranged, async ({ file, path, requests }) => {
    const fetched = await Promise.all([1, 2, 3].map(() => downloadFile({ file, path }, QUICK)));
    assert.deepEqual(fetched.sort(), [false, false, true]);
    assert.equal(requests.length, 1);
    await assertWhole(path);
  });
});

Deno.test("downloadFile() refuses to replace another file", async () => {
  await withServer(ranged, async ({ file, path, requests }) => {
    await Deno.mkdir(join(path, ".."));
    await Deno.writeTextFile(path, "precious");
    await assert.rejects(
      downloadFile({ file, path }, QUICK),
      /must be a file of 100000 bytes, got 8 bytes: move it away/,
    );
    assert.equal(await Deno.readTextFile(path), "precious");
    assert.equal(requests.length, 0);
  });
});

Deno.test("downloadFile() in two concurrent processes downloads once", async () => {
  const slow: Handler = (request) => {
    const delayed = new TransformStream<Uint8Array, Uint8Array>({
      async start() {
        await new Promise((resolve) => setTimeout(resolve, 300)); // long enough for the other process to start
      },
    });
    return new Response(ranged(request).body?.pipeThrough(delayed));
  };
  await withServer(slow, async ({ file, path, requests }) => {
    const code = `
      import { downloadFile } from ${
      JSON.stringify(new URL("./download.ts", import.meta.url).href)
    };
      console.log(await downloadFile(${JSON.stringify({ file, path })}));
    `;
    const runs = await Promise.all(
      [1, 2].map(() =>
        new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", code] }).output()
      ),
    );
    const outputs = runs.map(({ stdout }) => new TextDecoder().decode(stdout).trim());
    assert.deepEqual(outputs.sort(), ["false", "true"]);
    assert.equal(requests.length, 1);
    await assertWhole(path);
  });
});
