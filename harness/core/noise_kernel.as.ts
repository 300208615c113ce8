// AssemblyScript (https://www.assemblyscript.org), not Deno's TypeScript: `deno task noise:kernel` compiles it to
// noise_kernel.wasm. It does the arithmetic of noise.ts, four blocks at a time; noise_test.ts compares the bits.

/** Buffer for the draws: 65,536 floats. */
const BUFFER: usize = memory.data(65536 * 4);

export function buffer(): usize {
  return BUFFER;
}

// @ts-ignore: decorator
@inline
function rotate(x: v128, r: i32): v128 {
  return v128.or(i32x4.shl(x, r), i32x4.shr_u(x, 32 - r));
}

/**
 * Writes elements 2 * first .. 2 * (first + count) of the stream of key (k0, k1) at `counter`: standard normals,
 * or uniforms in [0, 1) if `uniform`. It computes four blocks at a time, so it may write up to 6 more floats.
 */
export function fill(k0: i32, k1: i32, counter: i32, first: i32, count: i32, uniform: bool): void {
  const k2 = k0 ^ k1 ^ 0x1BD11BDA;
  const s0 = i32x4.splat(k0), s1 = i32x4.splat(k1), s2 = i32x4.splat(k2);
  let out = BUFFER;
  for (let block = 0; block < count; block += 4) {
    let x0 = i32x4.add(i32x4.add(i32x4.splat(first + block), i32x4(0, 1, 2, 3)), s0);
    let x1 = i32x4.add(i32x4.splat(counter), s1);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s1); x1 = i32x4.add(x1, i32x4.add(s2, i32x4.splat(1)));
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 17), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 29), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 16), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 24), x0);
    x0 = i32x4.add(x0, s2); x1 = i32x4.add(x1, i32x4.add(s0, i32x4.splat(2)));
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s0); x1 = i32x4.add(x1, i32x4.add(s1, i32x4.splat(3)));
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 17), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 29), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 16), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 24), x0);
    x0 = i32x4.add(x0, s1); x1 = i32x4.add(x1, i32x4.add(s2, i32x4.splat(4)));
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s2); x1 = i32x4.add(x1, i32x4.add(s0, i32x4.splat(5)));

    let a: v128, b: v128;
    if (uniform) {
      a = unit(x0);
      b = unit(x1);
    } else {
      const radius = f32x4.sqrt(f32x4.mul(f32x4.splat(-2), logarithm(x0)));
      // The angle 2 pi u is a quadrant plus a remainder in [-pi/4, pi/4].
      const turns = f32x4.mul(unit(x1), f32x4.splat(4));
      const quadrant = f32x4.floor(f32x4.add(turns, f32x4.splat(0.5)));
      const x = f32x4.mul(f32x4.sub(turns, quadrant), f32x4.splat(1.5707963267948966));
      const z = f32x4.mul(x, x);
      let s = f32x4.add(f32x4.mul(f32x4.splat(-1.9515295891e-4), z), f32x4.splat(8.3321608736e-3));
      s = f32x4.add(f32x4.mul(s, z), f32x4.splat(-1.6666654611e-1));
      s = f32x4.add(f32x4.mul(f32x4.mul(s, z), x), x);
      let c = f32x4.add(f32x4.mul(f32x4.splat(2.443315711809948e-5), z), f32x4.splat(-1.388731625493765e-3));
      c = f32x4.add(f32x4.mul(c, z), f32x4.splat(4.166664568298827e-2));
      c = f32x4.add(f32x4.sub(f32x4.mul(f32x4.mul(c, z), z), f32x4.mul(f32x4.splat(0.5), z)), f32x4.splat(1));
      const q = i32x4.trunc_sat_f32x4_s(quadrant);
      const odd = i32x4.shr_s(i32x4.shl(q, 31), 31);
      const cosine = v128.bitselect(s, c, odd);
      const sine = v128.bitselect(c, s, odd);
      // cos is negative in quadrants 1 and 2, sin in 2 and 3.
      const signCos = i32x4.shl(i32x4.shr_u(i32x4.add(q, i32x4.splat(1)), 1), 31);
      const signSin = i32x4.shl(i32x4.shr_u(q, 1), 31);
      a = f32x4.mul(radius, v128.xor(cosine, signCos));
      b = f32x4.mul(radius, v128.xor(sine, signSin));
    }
    v128.store(out, i32x4.shuffle(a, b, 0, 4, 1, 5));
    v128.store(out, i32x4.shuffle(a, b, 2, 6, 3, 7), 16);
    out += 32;
  }
}

/** Converts the upper 24 bits to a float in [0, 1). */
// @ts-ignore: decorator
@inline
function unit(bits: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(bits, 8)), f32x4.splat(5.9604644775390625e-8));
}

/** Computes ln((w + 1) / 2^32) of a word w by the polynomial of Cephes' logf. */
// @ts-ignore: decorator
@inline
function logarithm(w: v128): v128 {
  const u = f32x4.mul(f32x4.add(f32x4.convert_i32x4_u(w), f32x4.splat(1)), f32x4.splat(2.3283064365386963e-10));
  // u = m 2^e with m in [sqrt(1/2), sqrt(2)).
  const m1 = v128.or(v128.and(u, i32x4.splat(0x007fffff)), i32x4.splat(0x3f800000));
  const large = f32x4.gt(m1, f32x4.splat(1.4142135));
  const m = v128.bitselect(f32x4.mul(m1, f32x4.splat(0.5)), m1, large);
  const e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.sub(i32x4.shr_u(u, 23), i32x4.splat(127)), large));
  const x = f32x4.sub(m, f32x4.splat(1));
  const z = f32x4.mul(x, x);
  let y = f32x4.add(f32x4.mul(f32x4.splat(7.0376836292e-2), x), f32x4.splat(-1.1514610310e-1));
  y = f32x4.add(f32x4.mul(y, x), f32x4.splat(1.1676998740e-1));
  y = f32x4.add(f32x4.mul(y, x), f32x4.splat(-1.2420140846e-1));
  y = f32x4.add(f32x4.mul(y, x), f32x4.splat(1.4249322787e-1));
  y = f32x4.add(f32x4.mul(y, x), f32x4.splat(-1.6668057665e-1));
  y = f32x4.add(f32x4.mul(y, x), f32x4.splat(2.0000714765e-1));
  y = f32x4.add(f32x4.mul(y, x), f32x4.splat(-2.4999993993e-1));
  y = f32x4.add(f32x4.mul(y, x), f32x4.splat(3.3333331174e-1));
  y = f32x4.mul(f32x4.mul(y, x), z);
  y = f32x4.add(y, f32x4.mul(f32x4.splat(-2.12194440e-4), e));
  y = f32x4.sub(y, f32x4.mul(f32x4.splat(0.5), z));
  return f32x4.add(f32x4.add(x, y), f32x4.mul(f32x4.splat(0.693359375), e));
}
