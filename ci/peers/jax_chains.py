"""Chain-steps per CPU second of the toy suite beside jitted JAX, on the bivariate target, as a ratio.

    pip install jax==0.10.2
    python ci/peers/jax_chains.py

Both sides have one thread on one core and take turns, a new process each time. JAX runs what a user of it would write: the
gradient by jax.grad, all chains in one array, jax.lax.scan under jax.jit. Its normals are those of its default generator,
threefry, which is also the one here, and in a column of their own those of the faster one that XLA has, rbg. Prints the
median ratio over rounds and its spread, the range over the median; a ratio counts only if that is below 20 %.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

ETA = 0.02
PRECISION = [[1 + 4.0, -3.0], [-3.0, 1 + 3.5]]  # I + inverse of [[0.7, 0.6], [0.6, 0.8]]
MEANS = [[-0.7, 0.6], [-0.7, 0.3], [1.7, -1.5]]


GENERATORS = {"threefry": "threefry2x32", "rbg": "rbg"}


def jax_rates(samplers, chains, steps, generator):
    """Rates by sampler in this process."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_default_prng_impl", GENERATORS[generator])
    precision, means = jnp.array(PRECISION), jnp.array(MEANS)

    def energy(z):  # [chains, 3, 2] to [chains, 3]
        d = z - means
        return 0.5 * jnp.einsum("cpi,ij,cpj->cp", d, precision, d)

    gradient = jax.grad(lambda z: energy(z).sum())

    def langevin(z, key):
        xi = jax.random.normal(key, z.shape)
        return z - ETA * gradient(z) + jnp.sqrt(2 * ETA) * xi, None

    def mala(state, key):
        z, u, g = state
        normal, uniform = jax.random.split(key)
        xi = jax.random.normal(normal, z.shape)
        y = z - ETA * g + jnp.sqrt(2 * ETA) * xi
        v, h = energy(y), gradient(y)
        back = ((z - y + ETA * h) ** 2).sum(-1) - ((y - z + ETA * g) ** 2).sum(-1)
        accept = jnp.log(jax.random.uniform(uniform, u.shape)) < u - v - back / (4 * ETA)
        choose = accept[..., None]
        return (jnp.where(choose, y, z), jnp.where(accept, v, u), jnp.where(choose, h, g)), None

    def program(step, start):
        @jax.jit
        def run(state, key):
            return jax.lax.scan(step, state, jax.random.split(key, steps))[0]

        return run, start

    z = jax.random.normal(jax.random.key(0), (chains, 3, 2))
    programs = {
        "ld": program(langevin, z),
        "mala": program(mala, (z, energy(z), gradient(z))),
    }
    rates = {}
    for name in samplers:
        run, start = programs[name]
        jax.block_until_ready(run(start, jax.random.key(1)))
        began = time.process_time()
        jax.block_until_ready(run(start, jax.random.key(2)))
        rates[name] = chains * steps / (time.process_time() - began)
    return rates


def pinned(command, core):
    """The JSON that a command prints, which runs on one core."""
    output = subprocess.run(["taskset", "-c", str(core), *command], capture_output=True, text=True, check=True)
    return json.loads(output.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samplers", default="ld,mala")
    parser.add_argument("--chains", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--only-jax", choices=GENERATORS, help="print the rates of JAX in this process as JSON")
    o = parser.parse_args()
    names = o.samplers.split(",")
    if o.only_jax:
        print(json.dumps(jax_rates(names, o.chains, o.steps, o.only_jax)))
        return
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    shape = [o.samplers, str(o.chains), str(o.steps)]
    ours = ["deno", "run", "--allow-all", "--config", f"{root}/deno.json", f"{root}/ci/peers/toy_chains.ts", *shape]
    theirs = {
        g: [sys.executable, __file__, "--only-jax", g, "--samplers", shape[0], "--chains", shape[1], "--steps", shape[2]]
        for g in GENERATORS
    }
    rounds = []
    for i in range(o.rounds):
        turns = [("ours", ours), *theirs.items()]
        turns = turns if i % 2 == 0 else turns[::-1]
        rounds.append({side: pinned(command, o.core) for side, command in turns})
        print(f"round {i + 1} of {o.rounds}: {rounds[-1]}", file=sys.stderr, flush=True)
    print("| Sampler | million chain-steps per CPU second | JAX, threefry | ratio | JAX, rbg | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in names:
        here = statistics.median(r["ours"][name] for r in rounds) / 1e6
        cells = [f"{here:.3g}"]
        for g in GENERATORS:
            there = statistics.median(r[g][name] for r in rounds) / 1e6
            ratios = [r["ours"][name] / r[g][name] for r in rounds]
            middle = statistics.median(ratios)
            cells += [f"{there:.3g}", f"{middle:.2f} (spread {(max(ratios) - min(ratios)) / middle:.0%})"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
