/**
 * NVIDIA's cards as XLA's compiler describes them, so that programs can be compiled for one that is not here. Figures of
 * NVIDIA's data sheets and architecture papers (A100, 2020; RTX 4090, Ada, 2022; H100, 2022; H200, 2023) and of the CUDA
 * programming guide's table of compute capabilities; those of A100, H100 and H200 agree with XLA's own
 * (xla/backends/gpu/target_config/specs, as far as these go) to three digits.
 *
 * @module
 */

/** A card. */
export interface GpuCard {
  readonly label: string;
  /** Compute capability. */
  readonly capability: readonly [major: number, minor: number];
  /** Streaming multiprocessors. */
  readonly cores: number;
  /** Float32 units of a multiprocessor. */
  readonly lanes: number;
  /** Threads that a multiprocessor holds. */
  readonly threads: number;
  /** Highest clock of the multiprocessors, GHz. */
  readonly clock: number;
  /** Bytes of memory, as the driver counts them. */
  readonly memory: number;
  /** Bytes a second from and to memory. */
  readonly bandwidth: number;
  /** Bytes of the second-level cache. */
  readonly cache: number;
  /** Bytes of shared memory of a multiprocessor, and how many of them a block can have. */
  readonly shared: readonly [core: number, block: number];
  /** FLOP/s of TF32 products on tensor cores, dense. */
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

/** Cards by the name of the command line. */
export const GPU_CARDS = {
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
} as const satisfies Readonly<Record<string, GpuCard>>;

/** The card as a stream_executor.GpuTargetConfigProto, in the text form of protocol buffers. */
export function targetConfig(card: GpuCard): string {
  const [major, minor] = card.capability;
  // Instructions of one architecture alone, sm_90a, exist from Hopper on.
  const extension = major >= 9 ? " feature_extension: ACCELERATED_FEATURES" : "";
  return `gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: ${48 * 1024}
  shared_memory_per_core: ${card.shared[0]}
  shared_memory_per_block_optin: ${card.shared[1]}
  threads_per_core_limit: ${card.threads}
  core_count: ${card.cores}
  fpus_per_core: ${card.lanes}
  block_dim_limit_x: ${2 ** 31 - 1}
  block_dim_limit_y: ${2 ** 16 - 1}
  block_dim_limit_z: ${2 ** 16 - 1}
  memory_bandwidth: ${card.bandwidth}
  l2_cache_size: ${card.cache}
  clock_rate_ghz: ${card.clock}
  device_memory_size: ${card.memory}
  cuda_compute_capability { major: ${major} minor: ${minor}${extension} }
  registers_per_core_limit: ${2 ** 16}
  registers_per_block_limit: ${2 ** 16}
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 patch: 0 }
device_description_str: "${card.label}"
`;
}
