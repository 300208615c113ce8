import assert from "node:assert/strict";
import process from "node:process";
import { gunzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { withTempDir } from "../testing/temp_dir.ts";
import { readDrawsFile } from "./draws_file.ts";
import { NETCDF_EXAMPLE } from "./netcdf_example.ts";
import { readNpy, writeNpy } from "./npy.ts";

const CUBE = { shape: [2, 4, 2], data: Float64Array.from({ length: 16 }, (_, i) => i) };

/** Writes `content` to a file called `name`, and reads its draws. */
function roundTrip(name: string, content: string | Uint8Array, variable?: string) {
  return withTempDir(async (dir) => {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${dir}/${name}`, bytes);
    return await readDrawsFile(`${dir}/${name}`, { variable });
  });
}

Deno.test("readDrawsFile() reads .npy and .npz", async () => {
  assert.deepEqual(await roundTrip("a.npy", writeNpy(CUBE)), CUBE);
  const two = zipSync({ "z.npy": writeNpy(CUBE), "w.npy": writeNpy({ ...CUBE, shape: [16] }) });
  assert.deepEqual(await roundTrip("a.npz", two, "z"), CUBE);
  await assert.rejects(roundTrip("a.npz", two), /choose one of z, w by --var/);
  await assert.rejects(roundTrip("a.npz", two, "x"), /no array "x": known ones are z, w/);
});

Deno.test("readNpy() converts Fortran order of three axes to row-major", () => {
  // numpy: np.asfortranarray(np.arange(16.).reshape(2, 4, 2)) stores 0, 8, 2, 10, 4, 12, 6, 14, 1, 9, ...
  const stored = Float64Array.of(0, 8, 2, 10, 4, 12, 6, 14, 1, 9, 3, 11, 5, 13, 7, 15);
  const bytes = writeNpy({ ...CUBE, data: stored });
  const place = new TextDecoder().decode(bytes.subarray(10, 128)).indexOf("False");
  bytes.set(new TextEncoder().encode("True "), 10 + place);
  assert.deepEqual(readNpy(bytes), CUBE);
});

Deno.test("readDrawsFile() reads CSV: plain, of Stan, and with a column of chains", async () => {
  const plain = await roundTrip("a.csv", "0,1\n2,3\n4,5\n");
  assert.deepEqual([plain.shape, [...plain.data]], [[1, 3, 2], [0, 1, 2, 3, 4, 5]]);
  const stan = await roundTrip(
    "a.csv",
    "# model\nlp__,accept_stat__,z.1,z.2\n-1,1,0,1\n-2,1,2,nan\n",
  );
  assert.deepEqual([stan.shape, [...stan.data]], [[1, 2, 2], [0, 1, 2, NaN]]);
  const chains = await roundTrip(
    "a.csv",
    '".chain",".iteration",".draw","z"\n1,1,1,5\n2,1,3,7\n1,2,2,6\n2,2,4,8\n',
  );
  assert.deepEqual([chains.shape, [...chains.data]], [[2, 2, 1], [5, 6, 7, 8]]);
  await assert.rejects(roundTrip("a.csv", "z\n1\n\nx\n"), /a\.csv: row 2, z is not a number: "x"/);
  await assert.rejects(roundTrip("a.csv", "z,w\n1,2\n3\n"), /row 2 has 1 cells/);
  await assert.rejects(
    roundTrip("a.csv", "chain,z\n1,2\n1,3\n2,4\n"),
    /equal numbers of draws, got 2, 1/,
  );
});

Deno.test("readDrawsFile() reads JSON with long runs of blanks in time that grows with their length", async () => {
  // Two seconds are a hundred times what a linear search takes here; a quadratic one takes ten or more.
  const json = `{"posterior":${" ".repeat(100_000)}{"z":[[[1],[${" ".repeat(100_000)}2]]]}}`;
  const begun = process.cpuUsage();
  assert.deepEqual((await roundTrip("a.json", json)).data, Float64Array.of(1, 2));
  const { user, system } = process.cpuUsage(begun);
  assert.ok((user + system) / 1e6 < 2, `${(user + system) / 1e6} s of processor time`);
  const words = '{"note":": NaN ]","posterior":{"z":[ [ NaN , -Infinity ]\n, [Infinity,3] ]}}';
  assert.deepEqual(
    [...(await roundTrip("b.json", words)).data].map(Number.isFinite),
    [false, false, false, true],
  );
});

Deno.test("readDrawsFile() reads the exports of ArviZ", async () => {
  const rows = [...Array(2).keys()].map((c) =>
    [...Array(4).keys()].map((t) => [...CUBE.data.subarray(8 * c + 2 * t, 8 * c + 2 * t + 2)])
  );
  const json = JSON.stringify({ posterior: { z: rows }, posterior_attrs: { version: "NaN" } });
  const expected = { ...CUBE, sampleAxes: 2 };
  assert.deepEqual(await roundTrip("a.json", json), expected);
  const infinite = await roundTrip("a.json", json.replace("15", "NaN"));
  assert.equal(Number.isFinite(infinite.data[15]), false);
  await assert.rejects(roundTrip("a.json", "{}"), /a\.json: no group posterior/);
  await assert.rejects(roundTrip("a.json", '{"posterior":{"z":[[1,2],[3]]}}'), /equal lengths/);
  // arviz 0.23.4, h5netcdf: az.from_dict(posterior={"z": x, "w": x[:, :, 0]}), x = arange(16).reshape(2, 4, 2)
  const netcdf = gunzipSync(Uint8Array.fromBase64(NETCDF_EXAMPLE));
  assert.deepEqual(await roundTrip("a.nc", netcdf, "z"), expected);
  await assert.rejects(roundTrip("a.nc", netcdf), /choose one of z, w by --var/);
  await assert.rejects(
    roundTrip("a.nc", netcdf.subarray(0, 3000), "z"),
    /a\.nc: not readable as NetCDF 4/,
  );
  // The shape of the chunks of z, [2, 4, 2], with 2^20 more of the last: jsfive visits each of their elements.
  const grown = Uint8Array.from(netcdf);
  const at = netcdf.indexOf(new Uint8Array(Uint32Array.of(2, 4, 2).buffer));
  grown[at + 10] = 0x10;
  await assert.rejects(roundTrip("a.nc", grown, "z"), ({ message, cause }: Error) => {
    assert.match(message, /a\.nc: not readable as NetCDF 4/);
    assert.match(String((cause as Error).cause), /a chunk of 8388624 elements/);
    return true;
  });
  await assert.rejects(roundTrip("a.nc", "CDF\x01"), /NetCDF 3, which is not supported/);
  await assert.rejects(roundTrip("a.txt", ""), /must be in a file ending in \.npy/);
});
