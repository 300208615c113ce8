/**
 * The wheels that `deno task gpu --fetch` installs, each pinned by version and SHA-256 (Linux, x86-64). pip fetches
 * them from its configured index and checks the hashes.
 *
 * @module
 */
import { join } from "node:path";

/** Name on PyPI, version and SHA-256 of a wheel. */
export type Wheel = readonly [name: string, version: string, sha256: string];

/** XLA's CUDA plugin, NVIDIA's assembler and NVIDIA's library of mathematical functions. */
const COMPILER = [
  [
    "jax-cuda13-pjrt",
    "0.12.0.1",
    "5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90",
  ],
  [
    "nvidia-cuda-nvcc",
    "13.5.37",
    "f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7",
  ],
  ["nvidia-nvvm", "13.5.37", "c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070"],
] as const satisfies readonly Wheel[];

/** Sets of wheels by the name of the folder into which they are installed. */
export const WHEELS = {
  /** XLA's CPU plugin, for tests and comparisons with ONNX Runtime: a third party's build of the XLA of jaxlib 0.11.2. */
  cpu: [
    [
      "lammps-jax-pjrt-cpu",
      "0.11.2",
      "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
    ],
  ],
  /** The part of `cuda13` that compiles programs without running them: about 260 MB. */
  "cuda13-compiler": COMPILER,
  /** XLA's CUDA plugin with NVIDIA's libraries for CUDA 13: about 2 GB. It needs driver 580 or later. */
  cuda13: [
    ...COMPILER,
    [
      "nvidia-cublas",
      "13.10.0.20",
      "dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84",
    ],
    [
      "nvidia-cuda-cupti",
      "13.5.25",
      "9dcca41c12a734192b14e7128ae116bc9ce1b9da686e2ebf48ae7a4415f76650",
    ],
    [
      "nvidia-cuda-runtime",
      "13.5.37",
      "df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
    ],
    [
      "nvidia-cudnn-cu13",
      "9.28.0.42",
      "7358353c75bb121a58e5f7712fe6d588883dc1df8ba00f428237e44e97543c4d",
    ],
    [
      "nvidia-cufft",
      "12.5.0.14",
      "b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad",
    ],
    [
      "nvidia-cusolver",
      "12.4.1.2",
      "b3b8e02fd2f2df869369af075dc3a179d43f6f7b85e94632a7dce556697be044",
    ],
    [
      "nvidia-cusparse",
      "12.9.4.2",
      "072667e58c851a318738f5527a12eb225cbf058803f2ea451c722d8cf8edddec",
    ],
    [
      "nvidia-nccl-cu13",
      "2.32.3",
      "1459723080ac889d73a26edfa3e04383a7928ab31ac8f0ec43b3ea9548b04ff3",
    ],
    [
      "nvidia-nvjitlink",
      "13.5.37",
      "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
    ],
    [
      "nvidia-cuda-nvrtc",
      "13.5.37",
      "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
    ],
    [
      "nvidia-nvshmem-cu13",
      "3.8.0",
      "81a4d1f666543e6d34df6d2ff940c7da1435e34e186aab6f3c2b48861b64ef38",
    ],
    [
      "nvidia-cuda-cccl",
      "13.3.5.0.6",
      "d5230098fa2df5021e1a00c0c4eee41797671a91119d31e892463e5ccf3ee326",
    ],
    [
      "nvidia-cuda-crt",
      "13.5.37",
      "e898b7f73d3035fa89915a3f7bf3b54a73e90249746111aed295822c4729bb29",
    ],
  ],
} as const satisfies Readonly<Record<string, readonly Wheel[]>>;

/** Arguments for python that install exactly `wheels` into `folder` by pip; write `content` to the file `list` first. */
export function pipCommand(
  wheels: readonly Wheel[],
  { folder }: { readonly folder: string },
): { readonly list: string; readonly content: string; readonly args: readonly string[] } {
  const list = join(folder, "wheels.txt");
  return {
    list,
    content: wheels.map(([name, version, sha256]) =>
      `${name}==${version} --hash=sha256:${sha256}\n`
    ).join(""),
    args: [
      ..."-m pip install --require-hashes --no-deps --only-binary=:all: --upgrade".split(" "),
      `--target=${folder}`,
      `--requirement=${list}`,
    ],
  };
}
