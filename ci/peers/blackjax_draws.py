"""BlackJAX's SGLD, MALA, HMC and NUTS on the exported targets, judged by our gates.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install jax==0.10.2 blackjax==1.7.1
    deno task check --export /tmp/targets
    /tmp/peers/bin/python ci/peers/blackjax_draws.py --targets /tmp/targets --out /tmp/draws

Prints the table of docs/draws.md, and writes the draws it judged. The densities are those of docs/targets.md, executed with
jax.numpy for NumPy. All posteriors of a target are sampled at once, as independent coordinates of one position. SGLD has full
gradients, so that it is Euler's rule, and is held to its distribution at the step where that is known; all else is held to the
posterior.

    /tmp/peers/bin/python ci/peers/blackjax_draws.py --targets /tmp/targets --speed

times Langevin steps of 2,000 chains of three points on the bivariate target, jitted, in turn with `deno task bench:toy`.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import time

import blackjax
import jax
import jax.numpy as jnp
import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
CHAINS, DRAWS, WARM_UP = 64, 2000, 1000
SGLD_CHAINS = 256
# Accepted share of MALA's proposals that is asked for. Roberts and Rosenthal 1998.
MALA_ACCEPTANCE = 0.574
LEAPFROGS = 20


def load(folder, name):
    """The facts of a target and the log density of a position [posteriors, dim]."""
    page = (ROOT / "docs/targets.md").read_text()
    code = re.search(rf"<!-- density: {name} -->\n\n```python\n(.*?)```", page, re.S)[1]
    facts = json.loads((folder / name / "target.json").read_text())
    scope = {"np": jnp}
    exec(code, scope)
    return facts, lambda z: jnp.sum(scope["log_density"](z, facts))


def starts(key, chains, facts):
    z = jax.random.normal(key, (chains, facts["posteriors"], facts["dim"]))
    return jnp.clip(z, -1.9, 1.9) if facts["name"] == "truncated" else z


def run(key, step, states, draws, thin):
    """Draws [chains, draws, posteriors, dim] of all chains, every `thin` steps, and the last states."""

    @jax.jit
    def loop(key, states):
        def one(states, key):
            keys = jax.random.split(key, thin)
            states = jax.lax.fori_loop(0, thin, lambda i, s: jax.vmap(step)(jax.random.split(keys[i], CHAINS_OF(s)), s), states)
            return states, position(states)

        return jax.lax.scan(one, states, jax.random.split(key, draws))

    states, kept = loop(key, states)
    return np.asarray(jnp.swapaxes(kept, 0, 1)), states


def CHAINS_OF(states):
    return jax.tree.leaves(states)[0].shape[0]


def position(states):
    return states.position if hasattr(states, "position") else states


def sgld(key, log_density, facts):
    """Euler's rule at the suite's step size."""
    keys = jax.random.split(key, 3)
    algorithm = blackjax.sgld(lambda z, _: jax.grad(log_density)(z))
    eta = facts["stepSize"]
    step = lambda key, z: algorithm.step(key, z, None, eta)
    _, states = run(keys[0], step, starts(keys[1], SGLD_CHAINS, facts), WARM_UP, 2)
    draws, _ = run(keys[2], step, states, 400, 20)
    return draws, ["--integrator", "euler", "--step", str(eta)]


def mala(key, log_density, facts):
    """A step size by stochastic approximation, then fixed."""
    keys = jax.random.split(key, 3)
    states = jax.vmap(lambda z: blackjax.mala.init(z, log_density))(starts(keys[0], CHAINS, facts))
    kernel = blackjax.mala.build_kernel()

    @jax.jit
    def adapt(key, states):
        def one(carry, key_and_step):
            states, log_eta = carry
            key, t = key_and_step
            states, info = jax.vmap(lambda k, s: kernel(k, s, log_density, jnp.exp(log_eta)))(jax.random.split(key, CHAINS), states)
            accepted = jnp.mean(info.acceptance_rate)
            return (states, log_eta + (accepted - MALA_ACCEPTANCE) * (t + 1.0) ** -0.6), None

        return jax.lax.scan(one, (states, jnp.log(facts["stepSize"])), (jax.random.split(key, WARM_UP), jnp.arange(WARM_UP)))[0]

    states, log_eta = adapt(keys[1], states)
    eta = float(jnp.exp(log_eta))
    draws, _ = run(keys[2], lambda k, s: kernel(k, s, log_density, eta)[0], states, DRAWS, 10)
    return draws, []


def adapted(make):
    """Step size and diagonal mass by window adaptation on one chain; all chains start where it ended, spread by their own warm-up."""

    def sample(key, log_density, facts):
        keys = jax.random.split(key, 4)
        extra = dict(num_integration_steps=LEAPFROGS) if make is blackjax.hmc else {}
        warm_up = blackjax.window_adaptation(make, log_density, **extra)
        first = starts(keys[0], 1, facts)[0]
        (_, parameters), _ = warm_up.run(keys[1], first, num_steps=WARM_UP)
        algorithm = make(log_density, **parameters)
        states = jax.vmap(algorithm.init)(starts(keys[2], CHAINS, facts))
        step = lambda key, state: algorithm.step(key, state)[0]
        _, states = run(keys[3], step, states, WARM_UP, 1)
        draws, _ = run(jax.random.fold_in(keys[3], 1), step, states, DRAWS, 1)
        return draws, []

    return sample


ALGORITHMS = {"SGLD": sgld, "MALA": mala, "HMC": adapted(blackjax.hmc), "NUTS": adapted(blackjax.nuts)}


def judge(path, name, extra):
    out = subprocess.run(
        ["deno", "task", "-q", "check", "--draws", str(path), "--target", name, "--json", *extra],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if out.returncode == 2 and extra:  # the distribution of Euler's rule is not known here
        return judge(path, name, [])
    if out.returncode > 1:
        raise RuntimeError(out.stderr)
    return json.loads(out.stdout)


def cell(verdict):
    rows = {row["metric"]: row for row in verdict["rows"]}
    failed = [metric for metric, row in rows.items() if row["verdict"] == "fail"]
    ess = f" ({rows['ess']['value']:,.0f})" if "ess" in rows else ""
    return ("passes" if not failed else f"fails: {', '.join(failed)}") + ess


def table(o):
    print(f"| Target | {' | '.join(ALGORITHMS)} |\n| --- |{' --- |' * len(ALGORITHMS)}")
    for name in o.names:
        facts, log_density = load(o.targets, name)
        cells = []
        for label, sample in ALGORITHMS.items():
            draws, extra = sample(jax.random.key(o.seed), log_density, facts)
            path = o.out / f"{name}_{label.lower()}.npy"
            np.save(path, draws)
            cells.append(cell(judge(path, name, extra)))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"\nJAX {jax.__version__}, BlackJAX {blackjax.__version__}, seed {o.seed}; effective draws in brackets")


def speed(o):
    """Median million chain-steps a second of both programs, timed in turn in five rounds."""
    facts, log_density = load(o.targets, "bivariate")
    chains, steps, eta = 2000, 1000, facts["stepSize"]

    @jax.jit
    def loop(key, z):
        def one(z, key):
            noise = jax.random.normal(key, z.shape)
            return z + eta * jax.grad(lambda z: jnp.sum(jax.vmap(log_density)(z)))(z) + jnp.sqrt(2 * eta) * noise, None

        return jax.lax.scan(one, z, jax.random.split(key, steps))[0]

    z = starts(jax.random.key(0), chains, facts)
    loop(jax.random.key(1), z).block_until_ready()
    ours, theirs = [], []
    for round in range(5):
        began = time.perf_counter()
        loop(jax.random.key(round), z).block_until_ready()
        theirs.append(chains * steps / (time.perf_counter() - began) / 1e6)
        out = subprocess.run(["deno", "task", "-q", "bench:toy", "--samplers", "ld"], cwd=ROOT, capture_output=True, text=True, check=True)
        ours.append(float(re.search(r"\| LD +\| ([\d.]+)", out.stdout)[1]))
    print(f"laebench {statistics.median(ours):.1f}, JAX {statistics.median(theirs):.1f} million chain-steps/s; ratio {statistics.median(a / b for a, b in zip(ours, theirs)):.2f}")
    print(f"rounds: {', '.join(f'{a:.1f}/{b:.1f}' for a, b in zip(ours, theirs))}; JAX {jax.__version__} on {jax.devices()[0].platform}")


def main():
    parser = argparse.ArgumentParser(description="BlackJAX's samplers judged by deno task check --draws")
    parser.add_argument("--targets", type=pathlib.Path, required=True, help="folder of deno task check --export")
    parser.add_argument("--names", type=lambda text: text.split(","), help="targets; all by default")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("draws"), help="folder for the draws")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", action="store_true", help="time Langevin steps instead")
    o = parser.parse_args()
    o.targets, o.out = o.targets.resolve(), o.out.resolve()
    o.names = o.names or [line for line in re.findall(r"<!-- density: (\w+) -->", (ROOT / "docs/targets.md").read_text())]
    if o.speed:
        return speed(o)
    o.out.mkdir(parents=True, exist_ok=True)
    table(o)


if __name__ == "__main__":
    main()
