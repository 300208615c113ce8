import assert from "node:assert/strict";
import { withTempDir } from "../testing/temp_dir.ts";
import { claimFolder, isClaimed, LOCK_FILE, lockFile } from "./file_lock.ts";
import { projectPath } from "./project.ts";

Deno.test("lockFile() admits one caller at a time and reports waiting", () =>
  withTempDir(async (dir) => {
    const log: string[] = [];
    const enter = async (name: string) => {
      using _lock = await lockFile(`${dir}/lock`, () => log.push(`${name} waits`));
      log.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      log.push(`${name} out`);
    };
    await enter("a");
    assert.deepEqual(log, ["a in", "a out"]);
    log.length = 0;
    await Promise.all([enter("a"), enter("b"), enter("c")]);
    const inside = log.filter((line) => !line.endsWith("waits"));
    assert.equal(log.length - inside.length, 2, `${log}`);
    for (let i = 0; i < inside.length; i += 2) {
      assert.deepEqual(inside.slice(i, i + 2), ["in", "out"].map((at) => `${inside[i][0]} ${at}`));
    }
  }));

Deno.test("lockFile() waits for another process, but not for one that was killed", () =>
  withTempDir(async (dir) => {
    const program = `${dir}/hold.ts`;
    await Deno.writeTextFile(
      program,
      `import { lockFile } from ${JSON.stringify(new URL("./file_lock.ts", import.meta.url).href)};
using _lock = await lockFile(${JSON.stringify(`${dir}/lock`)});
console.log("locked");
await new Promise((resolve) => setTimeout(resolve, 60_000));`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", `--config=${projectPath("deno.json")}`].concat(
        [`--allow-read=${dir}`, `--allow-write=${dir}`, program],
      ),
      stdout: "piped",
    }).spawn();
    const output = child.stdout.getReader();
    assert.match(new TextDecoder().decode((await output.read()).value), /locked/);
    let waits = 0;
    const lock = lockFile(`${dir}/lock`, () => {
      waits++;
      child.kill("SIGKILL");
    });
    (await lock)[Symbol.dispose]();
    if (waits === 0) child.kill();
    await output.cancel();
    await child.status;
    assert.equal(waits, 1);
  }));

Deno.test("claimFolder() says who holds the folder, waits if asked, and forgets a holder that is gone", () =>
  withTempDir(async (dir) => {
    const hint = "wait for it";
    const first = await claimFolder(dir, { hint });
    const holder = `process ${Deno.pid} on ${Deno.hostname()} since \\d{4}-[\\d-]+T[\\d:.]+Z`;
    await assert.rejects(
      claimFolder(dir, { hint }),
      new RegExp(`^Error: ${dir} is in use by ${holder}: wait for it$`),
    );
    setTimeout(() => first[Symbol.dispose](), 50);
    const second = await claimFolder(dir, { hint, wait: 10_000 });
    second[Symbol.dispose]();
    // Left by a process that was killed: the text stays, the lock does not.
    await Deno.writeTextFile(`${dir}/${LOCK_FILE}`, '{"pid":1,"host":"x","since":"y"}\n');
    using _third = await claimFolder(dir, { hint });
    await assert.rejects(claimFolder(dir, { hint }), new RegExp(`in use by process ${Deno.pid} `));
  }));

Deno.test("isClaimed() is true while a folder is held, not for a holder that was killed", () =>
  withTempDir(async (dir) => {
    assert.equal(await isClaimed(dir), false);
    {
      using _claim = await claimFolder(dir, { hint: "" });
      assert.equal(await isClaimed(dir), true);
    }
    assert.equal(await isClaimed(dir), false);
    await Deno.writeTextFile(`${dir}/${LOCK_FILE}`, '{"pid":1,"host":"x","since":"y"}\n');
    assert.equal(await isClaimed(dir), false);
  }));
