"""Training steps of the six methods at the paper's nets in plain PyTorch, eager and compiled: the peer of
`deno task bench:step --device cuda`, to be run on the same card.

    pip install torch==2.13.0
    python ci/peers/torch_steps.py --device cuda --modes eager,compile --steps 30

`deno task gpu:table` runs both and joins their tables.

Written as a user of PyTorch would: weights in its own layouts, channels-last images, noise on the device, TF32 as
XLA has it by default (--highest here is --device cuda:highest there). The arithmetic is that of ci/parity/methods.py, which is held to
methods/*.ts; what differs is the precision, float32. Prints one line of a table a method and mode; the ceiling is a
square matrix product on the same device, timed in turn with the steps. FLOPs are not counted here: those of
bench:step hold for both.
"""

import argparse
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F

CHANNELS = {32: (64, 128, 256, 512), 64: (64, 128, 256, 512, 512)}
HIDDEN, FEATURES, INPUTS = 2048, 1024, 2048
FLOWS = 3
POSTERIOR_STEP_SIZE, PRIOR_STEP_SIZE = 0.005, 0.08
# Hyperparameters by their names in methods/*.ts, for trials at small sizes.
SETTINGS = dict(width=1.0, posteriorSteps=20, priorSteps=60)
WARM_UPS = 2


# ---------------------------------------------------------------- networks


class Nets:
    """Parameters of every network as flat lists of leaves; (weight, bias) pairs in order."""

    def __init__(self, o):
        self.o = o
        self.stages = [max(1, round(c * o.set["width"])) for c in CHANNELS[o.size]]
        d, h = o.latent_dim, max(1, round(HIDDEN * o.set["width"]))
        n = max(1, round(FEATURES * o.set["width"]))
        self.features = self.conv([o.channels, *self.stages, n], [3] + [4] * (len(self.stages) - 1) + [6])
        self.head = self.linear([n, 2 * d])
        self.decoder = self.deconv([d, *reversed(self.stages)]) + self.conv([self.stages[0], o.channels], [3])
        self.energy = self.linear([d, h, 1])
        self.sampler = self.linear([INPUTS, h, n])
        self.phi, self.psi = self.linear([n, d])[:1], self.linear([n, d])[:1]
        self.flow = [self.leaf(d, scale=d**-0.5) if i < 2 else self.leaf(1, scale=0.0) for _ in range(FLOWS) for i in range(3)]

    def leaf(self, *shape, scale):
        t = torch.randn(shape, device=self.o.device) * scale
        if len(shape) == 4:
            t = t.contiguous(memory_format=torch.channels_last)
        return t.requires_grad_()

    def linear(self, sizes):
        return [
            p
            for i, o in zip(sizes, sizes[1:])
            for p in (self.leaf(i, o, scale=(1 / i) ** 0.5), self.leaf(o, scale=0.0))
        ]

    def conv(self, sizes, kernels):
        return [
            p
            for i, o, k in zip(sizes, sizes[1:], kernels)
            for p in (self.leaf(o, i, k, k, scale=(1 / (i * k * k)) ** 0.5), self.leaf(o, scale=0.0))
        ]

    def deconv(self, sizes):
        kernels = [6] + [4] * (len(sizes) - 2)
        return [
            p
            for i, o, k in zip(sizes, sizes[1:], kernels)
            for p in (self.leaf(i, o, k, k, scale=(1 / (i * 4)) ** 0.5), self.leaf(o, scale=0.0))
        ]


def pairs(flat):
    return list(zip(flat[::2], flat[1::2]))


def encode_features(p, x):
    for w, b in pairs(p):
        stride, pad = {3: (1, 2), 4: (2, 2), 6: (1, 0)}[w.shape[2]]
        x = F.silu(F.conv2d(x, w, b, stride, pad))
    return x.flatten(1)


def decode(p, z):
    x, layers = z[:, :, None, None], pairs(p)
    for w, b in layers[:-1]:
        stride, pad = {4: (2, 2), 6: (1, 0)}[w.shape[2]]
        x = F.silu(F.conv_transpose2d(x, w, b, stride, pad))
    return torch.tanh(F.conv2d(x, *layers[-1]))


def mlp(p, x, last=None):
    layers = pairs(p)
    for w, b in layers[:-1]:
        x = F.silu(torch.addmm(b, x, w))
    x = torch.addmm(layers[-1][1], x, layers[-1][0])
    return last(x) if last else x


# ---------------------------------------------------------------- shared pieces


def nll(mean, x, sigma=0.3):
    return ((x - mean) ** 2).flatten(1).sum(1) / (2 * sigma**2) + mean[0].numel() * math.log(sigma)


def half_squared_norm(z):
    return (z**2).sum(1) / 2


def encode(n, x):
    mean, raw = mlp(n.head, encode_features(n.features, x)).chunk(2, 1)
    return mean, F.softplus(raw) ** -0.5


def kl_to_normal(mean, scale):
    return (mean**2 + scale**2 - 1 - 2 * scale.log()).sum(1).mean() / 2


def gradient(energy, o):
    """Gradient in z of the sum of energy(z, *rest): one program if compiled."""
    if o.wrap is not None:
        return o.wrap(torch.func.grad(lambda z, *rest: energy(z, *rest).sum()))

    def eager(z, *rest):
        z = z.detach().requires_grad_()
        return torch.autograd.grad(energy(z, *rest).sum(), z)[0]

    return eager


def chain(slope, z, rest, steps, step_size):
    for _ in range(steps):
        z = z - step_size * slope(z, *rest) + math.sqrt(2 * step_size) * torch.randn_like(z)
    return z


def detached(params):
    return [p.detach() for p in params]


def normal_energy(z, x, decoder):
    return nll(decode(decoder, z), x) + half_squared_norm(z)


def reconstruct(z, x, decoder):
    return nll(decode(decoder, z), x).mean()


def compiled(f, o):
    return f if o.wrap is None else o.wrap(f)


class Adam:
    """beta = (0.5, 0.999), all parameters in one call."""

    def __init__(self, params, rate):
        self.params = params
        fused = params[0].is_cuda
        self.optimizer = torch.optim.Adam(params, rate, betas=(0.5, 0.999), **(dict(fused=True) if fused else {}))

    def step(self, loss):
        self.apply(torch.autograd.grad(loss, self.params))

    def apply(self, grads):
        for p, g in zip(self.params, grads):
            p.grad = g
        self.optimizer.step()


# ---------------------------------------------------------------- methods: build(nets, options) -> step(x, t) -> loss


def vae(n, o):
    adam = Adam(n.features + n.head + n.decoder, 1e-4)

    @lambda f: compiled(f, o)
    def objective(x, xi):
        mean, scale = encode(n, x)
        return nll(decode(n.decoder, mean + scale * xi), x).mean() + kl_to_normal(mean, scale)

    def step(x, t):
        loss = objective(x, torch.randn(len(x), o.latent_dim, device=x.device))
        adam.step(loss)
        return loss.detach()

    return step


def vae_flow(n, o):
    adam = Adam(n.features + n.head + n.decoder + n.flow, 1e-4)

    @lambda f: compiled(f, o)
    def objective(x, xi):
        mean, scale = encode(n, x)
        z, log_det = mean + scale * xi, 0.0
        for k in range(FLOWS):
            u, w, b = n.flow[3 * k : 3 * k + 3]
            u = u + (F.softplus(w @ u) - 1 - w @ u) * w / (w @ w)
            h = torch.tanh(z @ w + b)
            log_det = log_det + torch.log(torch.abs(1 + (1 - h**2) * (w @ u)))
            z = z + h[:, None] * u
        kl = (half_squared_norm(z) - log_det - scale.log().sum(1) - mean.shape[1] / 2).mean()
        return nll(decode(n.decoder, z), x).mean() + kl

    def step(x, t):
        loss = objective(x, torch.randn(len(x), o.latent_dim, device=x.device))
        adam.step(loss)
        return loss.detach()

    return step


def abp(n, o):
    adam, slope, objective = Adam(n.decoder, 1e-4), gradient(normal_energy, o), compiled(reconstruct, o)

    def step(x, t):
        z = torch.randn(len(x), o.latent_dim, device=x.device)
        z = chain(slope, z, (x, detached(n.decoder)), o.set["posteriorSteps"], POSTERIOR_STEP_SIZE)
        loss = objective(z, x, n.decoder)
        adam.step(loss)
        return loss.detach()

    return step


def dlgm(n, o):
    encoder, decoder = Adam(n.features + n.head, 1e-4), Adam(n.decoder, 1e-4)
    slope, objective = gradient(normal_energy, o), compiled(reconstruct, o)

    @lambda f: compiled(f, o)
    def bound(x, xi, frozen):
        mean, scale = encode(n, x)
        z = mean + scale * xi
        return nll(decode(frozen, z), x).mean() + kl_to_normal(mean, scale), z

    def step(x, t):
        frozen = detached(n.decoder)
        loss, z = bound(x, torch.randn(len(x), o.latent_dim, device=x.device), frozen)
        encoder.step(loss)
        z = chain(slope, z.detach(), (x, frozen), o.set["posteriorSteps"], POSTERIOR_STEP_SIZE)
        decoder.step(objective(z, x, n.decoder))
        return loss.detach()

    return step


def prior_energy(z, energy):
    return mlp(energy, z)[:, 0] + half_squared_norm(z)


def lebm(n, o):
    decoder, energy = Adam(n.decoder, 1e-4), Adam(n.energy, 2e-5)
    posterior = gradient(lambda z, x, d, e: nll(decode(d, z), x) + prior_energy(z, e), o)
    prior = gradient(prior_energy, o)

    @lambda f: compiled(f, o)
    def objective(positive, negative, x):
        gap = mlp(n.energy, positive).mean() - mlp(n.energy, negative).mean()
        loss = reconstruct(positive, x, n.decoder)
        return loss + gap, loss.detach()  # no parameter is in both: one backward pass gives the gradients of each

    def step(x, t):
        d, e = detached(n.decoder), detached(n.energy)
        start = torch.randn(2, len(x), o.latent_dim, device=x.device)
        positive = chain(posterior, start[0], (x, d, e), o.set["posteriorSteps"], POSTERIOR_STEP_SIZE)
        negative = chain(prior, start[1], (e,), o.set["priorSteps"], PRIOR_STEP_SIZE)
        both, loss = objective(positive, negative, x)
        grads = torch.autograd.grad(both, n.decoder + n.energy)
        decoder.apply(grads[: len(n.decoder)])
        energy.apply(grads[len(n.decoder) :])
        return loss

    return step


def lae(n, o):
    learned = n.decoder + n.energy + n.phi + n.psi
    slots = [torch.zeros_like(p) for p in learned]
    signs = [1.0] * (len(learned) - 1) + [-1.0]  # psi climbs
    inputs = torch.randn(o.batch, INPUTS, device=o.device)
    rate, damping, count = 1e-3, 1e-3, 50_000

    @lambda f: compiled(f, o)
    def objective(x, g, h):
        z, prior = g @ n.phi[0], h @ n.psi[0]
        loss = reconstruct(z, x, n.decoder)
        loss = loss + prior_energy(z, n.energy).mean() - prior_energy(prior, n.energy).mean()
        both = torch.cat([z, prior]).detach()
        return loss + 2e-3 * (mlp(n.energy, both) ** 2).mean()

    @lambda f: compiled(f, o)
    def move(params, slots, slopes, unbias, noises):
        moved = []
        for p, v, d, sign, xi in zip(params, slots, slopes, signs, noises):
            scale = 1 / (damping + (v / unbias).sqrt())
            moved.append(p - sign * rate * scale * d + (2 * rate / count * scale).sqrt() * xi)
        return moved

    @lambda f: compiled(f, o)
    def frozen_features(x):
        return encode_features(n.features, x), mlp(n.sampler, inputs, F.silu)

    def step(x, t):
        with torch.no_grad():
            g, h = frozen_features(x)
        loss = objective(x, g, h)
        grads = torch.autograd.grad(loss, learned)
        with torch.no_grad():
            torch._foreach_mul_(slots, 0.99)
            torch._foreach_addcmul_(slots, grads, grads, 0.01)
            unbias = torch.tensor(1 - 0.99 ** (t + 1), device=x.device)
            noises = [torch.randn_like(p) for p in learned]
            torch._foreach_copy_(learned, move(learned, slots, grads, unbias, noises))
        return loss.detach()

    return step


METHODS = dict(vae=vae, vae_flow=vae_flow, abp=abp, dlgm=dlgm, lebm=lebm, lae=lae)


# ---------------------------------------------------------------- timing


def measure(name, mode, o):
    """Seconds of each step and each product, in turn, and of compilation: what the first step takes more than later ones."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    on_gpu = o.device.startswith("cuda")
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    o.wrap = torch.compile if mode == "compile" else None
    step = METHODS[name](Nets(o), o)
    x = torch.rand(o.batch, o.channels, o.size, o.size, device=o.device).mul_(2).sub_(1)
    x = x.contiguous(memory_format=torch.channels_last)
    a = torch.randn(o.product, o.product, device=o.device)
    repeats = 8 if on_gpu else 1  # as in bench:step
    losses, steps, products = [], [], []
    for t in range(WARM_UPS + o.steps):
        wait()
        begun = time.perf_counter()
        losses.append(float(step(x, t)))  # read back, as the harness does with its metrics
        between = time.perf_counter()
        for _ in range(repeats):
            a @ a
        wait()
        steps.append(between - begun)
        products.append((time.perf_counter() - between) / repeats)
    if not all(map(math.isfinite, losses)):
        raise RuntimeError(f"{name}: a loss is not finite: {losses}")
    timed = steps[WARM_UPS:]
    return dict(
        method=name,
        mode=mode,
        steps=timed,
        products=products[WARM_UPS:],
        product=o.product,
        compile=max(0.0, steps[0] - statistics.median(timed)),
        device=f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if on_gpu else 'CPU'}, {'float32' if o.highest else 'TF32 where the device has it'}",
    )


def row(m):
    """The columns of bench:step that need no count of FLOPs."""
    step, rate = statistics.median(m["steps"]), 2 * m["product"] ** 3 / statistics.median(m["products"])
    cells = [
        m["method"],
        m["mode"],
        f"{step:.3g} ({min(m['steps']):.3g} to {max(m['steps']):.3g})",
        f"{1 / step:.3g}",
        f"{rate / 1e9:.0f} GFLOP/s",
        f"{m['compile']:.1f} s",
    ]
    return f"| {' | '.join(cells)} |"


def setting(word):
    key, _, value = word.partition("=")
    if key not in SETTINGS:
        raise argparse.ArgumentTypeError(f"unknown setting {key!r}: known are {', '.join(SETTINGS)}")
    return key, type(SETTINGS[key])(value)


def main():
    parser = argparse.ArgumentParser(description="Seconds a training step in PyTorch, beside deno task bench:step")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--modes", default="eager,compile")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--size", type=int, default=32, choices=sorted(CHANNELS))
    parser.add_argument("--channels", type=int, default=3, choices=(1, 3))
    parser.add_argument("--latent-dim", type=int, default=64)
    parser.add_argument("--product", type=int, default=2048, help="size of the matrices of the product")
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="KEY=NUMBER", help=", ".join(SETTINGS))
    parser.add_argument("--highest", action="store_true", help="full float32 products, no TF32")
    parser.add_argument("--json", action="store_true", help="raw measurements, one JSON line a method and mode")
    o = parser.parse_args()
    o.set = {**SETTINGS, **dict(o.set)}
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = not o.highest
    torch.backends.cudnn.benchmark = True
    if not o.json:
        print("| method | mode | s/step | steps/s | matrix product | compile |")
        print("|---|---|---|---|---|---|")
    for name in o.methods.split(","):
        for mode in o.modes.split(","):
            m = measure(name, mode, o)
            print(json.dumps(m) if o.json else row(m), flush=True)
    if not o.json:
        print(f"\n{m['device']}; batch {o.batch}, {o.size}x{o.size}x{o.channels}, latent {o.latent_dim}; medians of {o.steps} steps (least to most)")


if __name__ == "__main__":
    main()
