/**
 * Specifications of NVIDIA GPUs as XLA's compiler expects them, so that programs can be compiled for a GPU that is not
 * present. The figures come from NVIDIA's data sheets and architecture papers (A100, 2020; RTX 4090, Ada, 2022; H100,
 * 2022; H200, 2023) and from the table of compute capabilities in the CUDA programming guide; those of A100, H100 and
 * H200 agree with XLA's own (xla/backends/gpu/target_config/specs), where it has them, to three digits.
 *
 * @module
 */

/** Specification of a GPU. */
export interface GpuSpec {
  readonly label: string;
  /** Compute capability. */
  readonly capability: readonly [major: number, minor: number];
  /** Number of streaming multiprocessors. */
  readonly cores: number;
  /** Float32 units per multiprocessor. */
  readonly lanes: number;
  /** Maximum number of resident threads per multiprocessor. */
  readonly threads: number;
  /** Maximum clock of the multiprocessors in GHz. */
  readonly clock: number;
  /** Memory in bytes, as reported by the driver. */
  readonly memory: number;
  /** Memory bandwidth in bytes per second. */
  readonly bandwidth: number;
  /** Size of the L2 cache in bytes. */
  readonly cache: number;
  /** Shared memory in bytes, per multiprocessor and at most per block. */
  readonly shared: readonly [core: number, block: number];
  /** FLOP/s of dense TF32 products on tensor cores. */
  readonly tf32: number;
  /** FLOP/s of float32 outside tensor cores. */
  readonly float32: number;
}

const HOPPER = {
  capability: [9, 0],
  cores: 132,
  lanes: 128,
  threads: 2048,
  clock: 1.98,
  cache: 50 * 2 ** 20,
  shared: [228 * 1024, 227 * 1024],
  tf32: 494.7e12,
  float32: 66.9e12,
} as const;

/** GPUs by their name on the command line. */
export const GPU_SPECS = {
  h200: { ...HOPPER, label: "NVIDIA H200 (141 GB)", memory: 151_397_597_184, bandwidth: 4.8e12 },
  h100: {
    ...HOPPER,
    label: "NVIDIA H100 SXM (80 GB)",
    memory: 84_942_979_072,
    bandwidth: 3.352e12,
  },
  a100: {
    label: "NVIDIA A100 SXM (80 GB)",
    capability: [8, 0],
    cores: 108,
    lanes: 64,
    threads: 2048,
    clock: 1.41,
    memory: 85_100_068_864,
    bandwidth: 2.039e12,
    cache: 40 * 2 ** 20,
    shared: [164 * 1024, 163 * 1024],
    tf32: 156e12,
    float32: 19.5e12,
  },
  rtx4090: {
    label: "NVIDIA GeForce RTX 4090 (24 GB)",
    capability: [8, 9],
    cores: 128,
    lanes: 128,
    threads: 1536,
    clock: 2.52,
    memory: 24_564 * 2 ** 20,
    bandwidth: 1.008e12,
    cache: 72 * 2 ** 20,
    shared: [100 * 1024, 99 * 1024],
    tf32: 82.6e12,
    float32: 82.6e12,
  },
} as const satisfies Readonly<Record<string, GpuSpec>>;

/** Writes a stream_executor.GpuTargetConfigProto of `gpu` in the text form of protocol buffers. */
export function targetConfig(gpu: GpuSpec): string {
  const [major, minor] = gpu.capability;
  // Architecture-specific instructions (sm_90a) exist from Hopper on.
  const extension = major >= 9 ? " feature_extension: ACCELERATED_FEATURES" : "";
  return `gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: ${48 * 1024}
  shared_memory_per_core: ${gpu.shared[0]}
  shared_memory_per_block_optin: ${gpu.shared[1]}
  threads_per_core_limit: ${gpu.threads}
  core_count: ${gpu.cores}
  fpus_per_core: ${gpu.lanes}
  block_dim_limit_x: ${2 ** 31 - 1}
  block_dim_limit_y: ${2 ** 16 - 1}
  block_dim_limit_z: ${2 ** 16 - 1}
  memory_bandwidth: ${gpu.bandwidth}
  l2_cache_size: ${gpu.cache}
  clock_rate_ghz: ${gpu.clock}
  device_memory_size: ${gpu.memory}
  cuda_compute_capability { major: ${major} minor: ${minor}${extension} }
  registers_per_core_limit: ${2 ** 16}
  registers_per_block_limit: ${2 ** 16}
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 patch: 0 }
device_description_str: "${gpu.label}"
`;
}
