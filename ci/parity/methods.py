"""One training step of every method in PyTorch, written for comparison with methods/*.ts.

Reads the inputs of ci/parity/methods_inputs.ts and adds what the step makes of them, in float64:

    deno run --allow-read --allow-ffi=node_modules --allow-env ci/parity/methods_inputs.ts > inputs.json
    python ci/parity/methods.py inputs.json fixtures/parity/methods.json

Gradients come from torch.autograd. Nothing is shared with the TypeScript but names and layouts: weights are
[kernel, kernel, in, out], of transposed convolutions [kernel, kernel, out, in], images [m, height, width, channels].
"""

import base64
import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def decode(array):
    kind = "<f4" if array["dtype"] == "float32" else "<i4"
    data = np.frombuffer(base64.b64decode(array["base64"]), kind).reshape(array["shape"])
    return torch.tensor(data.astype("f8" if array["dtype"] == "float32" else "i8"))


def encode(tensor):
    data = tensor.detach().numpy().astype("<f4")
    return {"shape": list(data.shape), "dtype": "float32", "base64": base64.b64encode(data.tobytes()).decode()}


# ---------------------------------------------------------------- networks


def layer_count(params, net):
    return len({name.split("/")[1] for name in params if name.startswith(f"{net}/")})


def layer(params, net, i):
    return params[f"{net}/{i}/weight"], params[f"{net}/{i}/bias"]


def mlp(params, net, x, activation, output=None):
    """Fully connected, with layer normalisation where there are gains."""
    x = x.flatten(1)
    count = layer_count(params, net)
    for i in range(count):
        weight, bias = layer(params, net, i)
        x = x @ weight + bias
        if f"{net}/{i}/gain" in params:
            x = F.layer_norm(x, x.shape[1:], params[f"{net}/{i}/gain"], params[f"{net}/{i}/shift"])
        x = activation(x) if i < count - 1 else (output or (lambda y: y))(x)
    return x


def conv_encoder(params, net, x, output=None):
    """Conv3x1x2, Conv4x2x2 ..., Conv6x1x0, and a last linear layer if it is there."""
    x = x.permute(0, 3, 1, 2)
    count = layer_count(params, net)
    for i in range(count):
        weight, bias = layer(params, net, i)
        if weight.dim() == 2:
            x = x.flatten(1) @ weight + bias
        else:
            stride, pad = {3: (1, 2), 4: (2, 2), 6: (1, 0)}[weight.shape[0]]
            x = F.conv2d(x, weight.permute(3, 2, 0, 1), bias, stride, pad)
        x = F.silu(x) if i < count - 1 else (output or (lambda y: y))(x)
    return x.flatten(1)


def conv_decoder(params, z):
    """Deconv6x1x0, Deconv4x2x2 ..., Conv3x1x0, tanh."""
    x = z[:, :, None, None]
    count = layer_count(params, "decoder")
    for i in range(count):
        weight, bias = layer(params, "decoder", i)
        if weight.shape[0] == 3:
            x = F.conv2d(x, weight.permute(3, 2, 0, 1), bias)
        else:
            stride, pad = {4: (2, 2), 6: (1, 0)}[weight.shape[0]]
            x = F.conv_transpose2d(x, weight.permute(3, 2, 0, 1), bias, stride, pad)
        x = F.silu(x) if i < count - 1 else torch.tanh(x)
    return x.permute(0, 2, 3, 1)


def top_down(params, noise, count):
    """The generator with `count` layers of latents, whose noise is `noise`, top first."""

    def linear(name, x):
        weight, bias = (params[f"decoder/{name}/{k}"] for k in ("weight", "bias"))
        return x @ weight + bias

    def conv(name, x, same=True):
        weight, bias = (params[f"decoder/{name}/{k}"] for k in ("weight", "bias"))
        return F.conv2d(x, weight.permute(3, 2, 0, 1).contiguous(), bias, 1, weight.shape[0] // 2 if same else 0)

    def block(first, second, h):
        return act(conv(second, act(conv(first, h)))) + h

    def head(name, h):
        return linear(f"{name}Out", act(conv(f"{name}Map", h, same=False)).permute(0, 2, 3, 1).flatten(1))

    act = lambda x: F.gelu(x, approximate="tanh")
    above = None
    for l in range(count):
        dim = params[f"decoder/project{l}/weight"].shape[0]
        eps, noise = noise[:, :dim], noise[:, dim:]
        if above is None:
            z = eps
        else:
            log_variance = (F.softplus(head(f"variance{l - 1}", above)) + 1e-8).clamp(0, 10)
            z = head(f"mean{l - 1}", above) + (log_variance / 2).exp() * eps
        maps = act(linear(f"project{l}", z))
        size = math.isqrt(maps.shape[1] // 4)
        maps = maps.reshape(-1, size, size, 4).permute(0, 3, 1, 2)
        h = block(f"first{l}", f"second{l}", act(conv(f"spread{l}", maps)))
        above = h if above is None else above + h
    h = block("lastFirst", "lastSecond", above)
    weight, bias = (params[f"decoder/output/{k}"] for k in ("weight", "bias"))
    return torch.tanh(F.conv_transpose2d(h, weight.permute(3, 2, 0, 1), bias, 2, 1)).permute(0, 2, 3, 1)


class Case:
    """One case: constants, and the model's pieces as functions of parameters."""

    def __init__(self, case):
        self.hyper = case["hyper"]
        self.state = {k: decode(v) for k, v in case["state"].items()}
        self.noise = {k: decode(v) for k, v in case["noise"].items()}
        inputs = {k: decode(v) for k, v in case["inputs"].items()}
        self.x = 2 * inputs["images"] - 1
        self.step = int(inputs["step"])
        self.n = case["problem"]["trainCount"]
        self.m = self.x.shape[0]
        classes = case["problem"].get("classCount", 0)
        self.one_hot = F.one_hot(inputs["labels"].long(), classes).double()

    def names(self, *nets):
        names = [k for k in self.state if k.split("/")[0] in nets]
        return names + (["logSigma"] if self.hyper.get("learnSigma") else [])

    def generate(self, p, z):
        if self.hyper.get("layerCount", 1) > 1:
            return top_down(p, z, self.hyper["layerCount"])
        if self.hyper["nets"] == "mlp":
            return mlp(p, "decoder", z, F.relu).reshape(self.x.shape)
        return conv_decoder(p, z)

    def nll(self, p, z):
        """-log p(x | z), one a row, and the mean squared error of images in [0, 1]."""
        mean, sigma = self.generate(p, z), p["logSigma"].exp()
        if self.hyper["likelihood"] == "gaussian":
            density = torch.distributions.Normal(mean, sigma)
            value = -density.log_prob(self.x)
        else:
            above = torch.sigmoid((self.x + 1 / 255 - mean) / sigma)
            below = torch.sigmoid((self.x - 1 / 255 - mean) / sigma)
            above = torch.where(self.x > 1 - 1 / 255, torch.ones_like(above), above)
            below = torch.where(self.x < -1 + 1 / 255, torch.zeros_like(below), below)
            value = -torch.log(above - below)
        return value.flatten(1).sum(1), ((self.x - mean) ** 2).mean() / 4

    def encode(self, p):
        out = mlp(p, "encoder", self.x, F.relu) if self.hyper["nets"] == "mlp" else conv_encoder(p, "encoder", self.x)
        mean, raw = out.chunk(2, 1)
        return mean, F.softplus(raw) ** -0.5

    def net_energy(self, p, z):
        return mlp(p, "energy", z, F.silu)[:, 0]

    def energy(self, p, z):
        return self.net_energy(p, z) + (z**2).sum(1) / 2


def leaves(state, names):
    return {**state, **{k: state[k].clone().requires_grad_() for k in names}}


def gradients(loss, p, names):
    return dict(zip(names, torch.autograd.grad(loss, [p[k] for k in names])))


def langevin(energy, z, step_size, xi):
    for draw in xi:
        z = z.detach().requires_grad_()
        (g,) = torch.autograd.grad(energy(z), z)
        z = z - step_size * g + math.sqrt(2 * step_size) * draw
    return z.detach()


def adam(case, grads, rate, betas=(0.5, 0.999), slot=lambda kind, k: f"adam/{kind}/{k}"):
    out, t = {}, case.step + 1
    for k, g in grads.items():
        m = betas[0] * case.state[slot("m", k)] + (1 - betas[0]) * g
        v = betas[1] * case.state[slot("v", k)] + (1 - betas[1]) * g**2
        out[slot("m", k)], out[slot("v", k)] = m, v
        out[k] = case.state[k] - rate * (m / (1 - betas[0]**t)) / ((v / (1 - betas[1]**t)).sqrt() + 1e-8)
    return out


# ---------------------------------------------------------------- energies of images


def conv(p, name, x, stride=1, pad=0):
    """Channels last in and out; pad "same" is TensorFlow's, where an odd row of zeros is below and to the right."""
    weight = p[f"{name}/weight"].permute(3, 2, 0, 1).contiguous()
    x = x.permute(0, 3, 1, 2)
    if pad == "same":
        rows = max(0, (math.ceil(x.shape[2] / stride) - 1) * stride + weight.shape[2] - x.shape[2])
        x = F.pad(x, [rows // 2, rows - rows // 2] * 2)
        pad = 0
    return F.conv2d(x, weight, p[f"{name}/bias"], stride, pad).permute(0, 2, 3, 1)


def is28(x):
    return x.shape[1] == 28


def image_energy(p, x):
    """-f(x), one an image: CoopFlow's residual network where there is a stem, CoopVAEBM's strided one otherwise."""
    if "energy/stem/0/weight" in p:
        h = F.silu(conv(p, "energy/stem/0", x, 1, 1))
        i = 0
        while f"energy/main{i}/0/weight" in p:
            main = F.silu(conv(p, f"energy/main{i}/1", F.silu(conv(p, f"energy/main{i}/0", h, 1, 1)), 1, 1))
            skip = F.silu(conv(p, f"energy/skip{i}/0", h, 1, 1))
            h = F.avg_pool2d((main + skip).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
            i += 1
        return -conv(p, "energy/head/0", h).flatten(1).sum(1)
    if is28(x):
        for i, (stride, pad) in enumerate([(2, "same"), (2, "same"), (1, "same"), (1, 0)]):
            x = conv(p, f"energy/net/{i}", x, stride, pad)
            x = F.leaky_relu(x, 0.2) if i < 3 else x
        return -x.flatten(1).sum(1)
    count = len({k for k in p if k.startswith("energy/net/") and k.endswith("/weight")})
    for i in range(count):
        last = i == count - 1
        x = conv(p, f"energy/net/{i}", x, 1 if i == 0 or last else 2, 0 if last else 1)
        x = x if last else F.leaky_relu(x, 0.2)
    return -x.flatten(1).sum(1)


def image_chain(energy, start, steps, step_size, temperature=0.0, xi=None, limit=None, clip=False):
    """The ends of the chains, and the metrics of the way."""
    x, norms = start, []
    for t in range(steps):
        x = x.detach().requires_grad_()
        (g,) = torch.autograd.grad(energy(x).sum(), x)
        norms.append(g.flatten(1).norm(dim=1).mean())
        drift = step_size * g
        x = x - (drift if limit is None else drift.clamp(-limit, limit))
        if temperature > 0:
            x = x + math.sqrt(2 * step_size * temperature) * xi[t]
        x = (x.clamp(-1, 1) if clip else x).detach()
    metrics = dict(
        gradientNorm=sum(norms) / max(1, len(norms)) if norms else torch.tensor(0.0),
        distance=(((x - start) / 2) ** 2).mean().sqrt(),
        saturated=(x.abs() >= 1).double().mean(),
    )
    return x, metrics


def energy_names(c):
    return [k for k in c.state if k.startswith("energy/")]


def adam_of_energy(kind, k):
    """Slots of the methods that learn nothing but an energy are named after its networks."""
    return f"adam/{kind}/{k.removeprefix('energy/')}"


# ---------------------------------------------------------------- methods


def vae(c):
    names = c.names("encoder", "decoder")
    p = leaves(c.state, names)
    mean, scale = c.encode(p)
    q = torch.distributions.Normal(mean, scale)
    z = mean + scale * c.noise["latents"]
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    nll, error = c.nll(p, z)
    loss = nll.mean() + kl
    return adam(c, gradients(loss, p, names), c.hyper["learningRate"]), dict(loss=loss, kl=kl, squaredError=error)


def iwae(c):
    names = c.names("encoder", "decoder")
    p = leaves(c.state, names)
    q = torch.distributions.Normal(*c.encode(p))
    log_w, errors = [], []
    for xi in c.noise["latents"]:
        z = q.loc + q.scale * xi
        nll, error = c.nll(p, z)
        prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
        log_w.append(prior - nll - q.log_prob(z).sum(1))
        errors.append(error)
    log_w = torch.stack(log_w)
    loss = -(log_w.logsumexp(0) - math.log(len(log_w))).mean()
    metrics = dict(loss=loss, negElbo=-log_w.mean(), squaredError=sum(errors) / len(errors))
    return adam(c, gradients(loss, p, names), c.hyper["learningRate"]), metrics


def moved_posterior(c, temperature, run):
    """Minus the bound of HVAE and Langevin-VAE, the entropies of the start in closed form."""
    names = c.names("encoder", "dynamics", "decoder")
    p = leaves(c.state, names)
    q = torch.distributions.Normal(*c.encode(p))
    t0 = temperature(p)
    momentum = torch.distributions.Normal(0.0, t0.sqrt())

    def force(z):
        u = c.nll(p, z)[0].sum() + half_squared_norm(z).sum()
        return torch.autograd.grad(u, z, create_graph=True)[0]

    z, mom, log_det = run(p, q.loc + q.scale * c.noise["latents"], t0.sqrt() * c.noise["momentum"], force)
    standard = torch.distributions.Normal(0.0, 1.0)
    d = z.shape[1]
    end = -standard.log_prob(z).sum(1) - standard.log_prob(mom).sum(1)
    kl = (end - q.entropy().sum(1) - d * momentum.entropy()).mean() - d * log_det
    nll, error = c.nll(p, z)
    loss = nll.mean() + kl
    metrics = dict(loss=loss, kl=kl, squaredError=error)
    return adam(c, gradients(loss, p, names), c.hyper["learningRate"]), metrics, p


def hvae(c):
    steps = c.hyper["integratorSteps"]

    def temperature(p):
        if c.hyper["tempering"] == "free":
            return torch.sigmoid(p["dynamics/rawAlpha"]).prod() ** -2
        return 1 + p["dynamics/logExcess"].exp()

    def run(p, z, mom, force):
        t0, size = temperature(p), 0.5 * torch.sigmoid(p["dynamics/rawStepSize"])
        at = [(1 - t0) * (k / steps) ** 2 + t0 for k in range(steps + 1)]
        for k in range(steps):
            mom = mom - size / 2 * force(z)
            z = z + size * mom
            mom = mom - size / 2 * force(z)
            free = c.hyper["tempering"] == "free"
            mom = mom * (torch.sigmoid(p["dynamics/rawAlpha"][k]) if free else (at[k + 1] / at[k]).sqrt())
        return z, mom, -t0.log() / 2

    out, metrics, p = moved_posterior(c, temperature, run)
    metrics.update(temperature=temperature(p), stepSize=0.5 * torch.sigmoid(p["dynamics/rawStepSize"]).mean())
    return out, metrics


def langevin_vae(c):
    steps = c.hyper["integratorSteps"]

    def run(p, z, mom, force):
        h, nu = p["dynamics/logStepSize"].exp(), p["dynamics/logFriction"].exp()
        for k in range(steps):
            kick = 0.0
            if c.hyper["momentumNoise"] > 0:
                kick = h.sqrt() * c.hyper["momentumNoise"] * (2 * nu).sqrt() * c.noise[f"dynamics/{k}"]
            if c.hyper["scheme"] == "euler":
                mom = (-nu * h).exp() * mom - h * force(z) + kick
                z = z + h * mom
            else:
                mom = (-nu * h / 2).exp() * mom
                z = z + h / 2 * mom
                mom = mom - h * force(z) + kick
                z = z + h / 2 * mom
                mom = (-nu * h / 2).exp() * mom
        return z, mom, -steps * nu * h

    out, metrics, p = moved_posterior(c, lambda p: torch.tensor(1.0), run)
    metrics.update(stepSize=p["dynamics/logStepSize"].exp(), friction=p["dynamics/logFriction"].exp())
    return out, metrics


def vae_flow(c):
    names = c.names("encoder", "flow", "decoder")
    p = leaves(c.state, names)
    mean, scale = c.encode(p)
    q = torch.distributions.Normal(mean, scale)
    z = mean + scale * c.noise["latents"]
    log_det = 0.0
    for k in range(c.hyper["flowCount"]):
        u, w, b = (p[f"flow/{k}/{name}"] for name in ("u", "w", "b"))
        u = u + (F.softplus(w @ u) - 1 - w @ u) * w / (w @ w)
        h = torch.tanh(z @ w + b)
        log_det = log_det + torch.log(torch.abs(1 + (1 - h**2) * (w @ u)))
        z = z + h[:, None] * u
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    kl = (-prior - log_det - q.entropy().sum(1)).mean()
    nll, error = c.nll(p, z)
    loss = nll.mean() + kl
    return adam(c, gradients(loss, p, names), c.hyper["learningRate"]), dict(loss=loss, kl=kl, squaredError=error)


def posterior_chain(c, start, prior):
    def energy(z):
        return (c.nll(c.state, z)[0] + prior(z)).sum()

    return langevin(energy, start, c.hyper["posteriorStepSize"], c.noise["posterior"])


def half_squared_norm(z):
    return (z**2).sum(1) / 2


def learn_decoder(c, z):
    names = c.names("decoder")
    p = leaves(c.state, names)
    nll, error = c.nll(p, z)
    return nll.mean(), error, gradients(nll.mean(), p, names)


def abp(c):
    z = posterior_chain(c, c.noise["start"], half_squared_norm)
    loss, error, grads = learn_decoder(c, z)
    metrics = dict(loss=loss, squaredError=error, halfSquaredNorm=half_squared_norm(z).mean())
    return adam(c, grads, c.hyper["learningRate"]), metrics


def short_run_trial(c, scales):
    """J and eta times curvature for each of `scales`: short_run.ts, with Hessians as matrices."""
    k = int(c.noise["search/moment"] * c.hyper["posteriorSteps"])
    x, m = c.x, c.x.shape[0]
    v = torch.where(c.noise["search/probe"][0] >= 0.5, 1.0, -1.0)
    objective, curvature = [], []
    for scale in scales:
        eta = scale * c.hyper["posteriorStepSize"]

        def energy(z):
            c.x = x[:1]
            value = c.nll(c.state, z[None])[0] + half_squared_norm(z[None])
            c.x = x
            return value[0]

        z = c.noise["search/start"][0]
        for step in range(c.hyper["posteriorSteps"]):
            if step == k:
                hessian = eta * torch.autograd.functional.hessian(energy, z)
            z = (z - eta * torch.autograd.functional.jacobian(energy, z)).detach()
        powers = [torch.linalg.matrix_power(hessian, j) @ v for j in range(5)]
        log_det = -sum(v @ powers[j] / j for j in range(1, 5))
        objective.append(energy(z) - c.hyper["posteriorSteps"] * log_det)
        curvature.append(powers[4].norm() / powers[3].norm())
    return torch.stack(objective).detach(), torch.stack(curvature).detach()


def sri(c):
    every = c.hyper["searchEvery"]
    scale = c.state["stepScale"] if every else torch.tensor(1.0)
    step_size = float(scale) * c.hyper["posteriorStepSize"]
    shape = (c.hyper["posteriorSteps"], *c.noise["start"].shape)
    xi = c.noise["posterior"] if c.hyper["noise"] else torch.zeros(shape)
    z = langevin(lambda z: (c.nll(c.state, z)[0] + half_squared_norm(z)).sum(), c.noise["start"], step_size, xi)
    loss, error, grads = learn_decoder(c, z)
    metrics = dict(loss=loss, squaredError=error, halfSquaredNorm=half_squared_norm(z).mean())
    out = adam(c, grads, c.hyper["learningRate"])
    if every:
        metrics["stepSize"] = torch.tensor(step_size)
        scales = scale * 1.1 ** (2 * torch.arange(7.0, dtype=torch.float64) - 6)
        objective, curvature = short_run_trial(c, scales)
        objective = c.state["search/objective"] + objective
        curvature = torch.maximum(c.state["search/curvature"], curvature)
        if (c.step + 1) % every == 0:
            scale = scales[torch.where(curvature < 1, objective, torch.inf).argmin()]
            objective, curvature = torch.zeros(7), torch.zeros(7)
        out.update({"stepScale": scale, "search/objective": objective, "search/curvature": curvature})
    return out, metrics


def dlgm(c):
    names = [k for k in c.state if k.startswith("encoder/")]
    p = leaves(c.state, names)
    mean, scale = c.encode(p)
    z = mean + scale * c.noise["start"]
    q = torch.distributions.Normal(mean, scale)
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    loss = c.nll(p, z)[0].mean() + kl
    grads = gradients(loss, p, names)
    end = posterior_chain(c, z.detach(), half_squared_norm)
    reconstruction, error, decoder = learn_decoder(c, end)
    metrics = dict(loss=loss, kl=kl, reconstruction=reconstruction, squaredError=error)
    return adam(c, {**grads, **decoder}, c.hyper["learningRate"]), metrics


def lebm(c):
    positive = posterior_chain(c, c.noise["posteriorStart"], lambda z: c.energy(c.state, z))
    prior = lambda z: c.energy(c.state, z).sum()
    negative = langevin(prior, c.noise["priorStart"], c.hyper["priorStepSize"], c.noise["prior"])
    loss, error, grads = learn_decoder(c, positive)
    names = [k for k in c.state if k.startswith("energy/")]
    p = leaves(c.state, names)
    high, low = c.net_energy(p, positive).mean(), c.net_energy(p, negative).mean()
    energy = gradients(high - low, p, names)
    factor = c.hyper["decay"] ** (c.step // (c.n // c.m))
    out = adam(c, grads, factor * c.hyper["learningRate"])
    out.update(adam(c, energy, factor * c.hyper["energyLearningRate"]))
    return out, dict(loss=loss, squaredError=error, energyPosterior=high, energyPrior=low)


def latent_flow(p, c, z):
    """Noise and log-determinant, one layer after the other."""

    def actnorm(name, x):
        return (x + p[f"{name}/shift"]) * (3 * p[f"{name}/logScale"]).exp()

    d, log_det = z.shape[1], torch.zeros(len(z))
    for k in range(c.hyper["flowDepth"]):
        at = f"flow/{k}"
        z = actnorm(f"{at}/actnorm", z)
        log_det = log_det + 3 * p[f"{at}/actnorm/logScale"].sum()
        lower = torch.tril(p[f"{at}/mixing/lower"], -1) + torch.eye(d)
        diagonal = c.state[f"pivots/{k}/sign"] * p[f"{at}/mixing/logScale"].exp()
        upper = torch.triu(p[f"{at}/mixing/upper"], 1) + torch.diag(diagonal)
        w = c.state[f"pivots/{k}/order"] @ lower @ upper
        z, log_det = z @ w, log_det + torch.linalg.slogdet(w)[1]
        kept, changed = z.chunk(2, 1)
        h = kept
        for name in ("first", "second"):
            h = torch.relu(actnorm(f"{at}/coupling/{name}", h @ p[f"{at}/coupling/{name}/weight"]))
        last = {key: p[f"{at}/coupling/last/{key}"] for key in ("weight", "bias", "logScale")}
        shift, raw = ((h @ last["weight"] + last["bias"]) * (3 * last["logScale"]).exp()).chunk(2, 1)
        scale = torch.sigmoid(raw + 2)
        z, log_det = torch.cat([kept, (changed + shift) * scale], 1), log_det + scale.log().sum(1)
    return z, log_det


def lfbm(c):
    def log_prior(p, z):
        noise, log_det = latent_flow(p, c, z)
        return torch.distributions.Normal(0.0, 1.0).log_prob(noise).sum(1) + log_det

    z = posterior_chain(c, c.noise["start"], lambda z: -log_prior(c.state, z))
    names = c.names("decoder", "flow")
    p = leaves(c.state, names)
    nll, error = c.nll(p, z)
    negative = -log_prior(p, z).mean()
    loss = nll.mean() + negative
    rate = c.hyper["decay"] ** (c.step // (c.n // c.m)) * c.hyper["learningRate"]
    return adam(c, gradients(loss, p, names), rate), dict(loss=loss, negLogPrior=negative, squaredError=error)


def lae_neurips(c):
    h, sigma = c.hyper, lambda tau: -0.5 * F.softplus(tau).log()
    names = [k for k in c.state if k.split("/")[0] in ("features", "decoder")] + ["tau"]
    fixed = {**c.state, "logSigma": sigma(c.state["tau"])}
    step_size = h["chainStepSize"] / c.m

    def energies(p, g, phi):
        z = g @ phi
        nll, error = c.nll(p, z)
        return nll + half_squared_norm(z), error

    def total(phi):
        phi = phi.detach().requires_grad_()
        u = energies(fixed, g0, phi)[0].sum()
        return u.detach(), torch.autograd.grad(u, phi)[0]

    g0 = mlp(c.state, "features", c.x, F.relu, F.relu)
    phi, losses, errors, grads, accepted = c.state["phi"], [], [], [], []
    for t in range(h["chainSteps"] + 1):
        if t > 0:
            p = leaves(c.state, names)
            tau = p["tau"]
            full = {**p, "logSigma": sigma(tau)}
            u, error = energies(full, mlp(p, "features", c.x, F.relu, F.relu), phi)
            prior = torch.distributions.TransformedDistribution(
                torch.distributions.Uniform(0.0, 1.0), torch.distributions.SigmoidTransform().inv
            )
            loss = u.mean() - prior.log_prob(tau) / c.n
            losses.append(loss)
            errors.append(error)
            grads.append(gradients(loss, p, names))
        u0, d0 = total(phi)
        q0 = torch.distributions.Normal(phi - step_size * d0, math.sqrt(2 * step_size))
        new = q0.loc + q0.scale * c.noise[f"move/{t}/xi"].reshape(phi.shape)
        u1, d1 = total(new)
        q1 = torch.distributions.Normal(new - step_size * d1, math.sqrt(2 * step_size))
        ratio = u0 - u1 + q1.log_prob(phi).sum() - q0.log_prob(new).sum()
        accept = bool(c.noise[f"move/{t}/uniform"] < ratio.exp())
        accepted.append(torch.tensor(float(accept)))
        phi = new if accept else phi
    mean = lambda values: sum(values) / len(values)
    out = {k: c.state[k] - h["sgdLearningRate"] * mean([g[k] for g in grads]) for k in names}
    out["phi"], out["logSigma"] = phi, sigma(out["tau"])
    return out, dict(loss=mean(losses), squaredError=mean(errors), acceptance=mean(accepted))


def lae(c):
    h = c.hyper
    ml = h["learning"] == "ml"
    inner = h["innerSteps"] if ml else 1
    features = conv_encoder(c.state, "features", c.x, F.silu)
    sampler = mlp(c.state, "sampler", c.noise["inputs"], F.silu, F.silu)
    rate = h["stepSize"] * (1 + c.step / h["decaySteps"]) ** -h["decayPower"]
    state = dict(c.state)

    def objective(p):
        z, prior = features @ p["phi"], sampler @ p["psi"]
        nll, error = c.nll(p, z)
        high, low = c.energy(p, z).mean(), c.energy(p, prior).mean()
        return nll.mean() + high - low, error, high, low

    def temperature(d):
        return h["temperature"] or max(1, c.n / d)

    def move(k, g, moves, xi, sign=1.0, heat=1.0):
        v = 0.99 * state[f"psgld/v/{k}"] + 0.01 * g**2
        scale = 1 / (h["damping"] + (v / (1 - 0.99 ** (moves + 1))).sqrt())
        w = state[k] - sign * rate * scale * g
        if xi is not None:
            w = w + (2 * rate * heat / c.n * scale).sqrt() * xi
        return {k: w.detach(), f"psgld/v/{k}": v.detach()}

    for i in range(inner):
        last = i == inner - 1
        names = c.names("decoder", "energy") + ["phi", "psi"]
        p = leaves(state, names)
        loss, error, high, low = objective(p)
        grads = gradients(loss, p, names)
        if last:
            # The penalty moves Theta alone: latents are constants here.
            z = torch.cat([features @ state["phi"], sampler @ state["psi"]])
            energies = [k for k in names if k.startswith("energy/")]
            penalty = 2 * h["energyPenalty"] * (c.net_energy(p, z) ** 2).mean()
            for k, g in gradients(penalty, p, energies).items():
                grads[k] = grads[k] + g
            loss = loss + penalty
        xi = (lambda k: c.noise[f"xi/{k}"]) if last else (lambda k: c.noise[f"inner/{k}"][i])
        moves = c.step * inner + i
        new = {
            **move("phi", grads["phi"], moves, xi("phi"), heat=temperature(features.shape[1])),
            **move("psi", grads["psi"], moves, xi("psi"), -1.0, temperature(sampler.shape[1])),
        }
        if last:
            for k in names[:-2]:
                new.update(move(k, grads[k], c.step, None if ml else xi(k)))
        state.update(new)
    out = {k: v for k, v in state.items() if v is not c.state[k]}
    return out, dict(loss=loss, squaredError=error, energyPosterior=high, energyPrior=low)


def ebm(c):
    h, m = c.hyper, c.m
    restarts = (c.noise["restart"] < h["restart"]).expand(m, *c.x.shape[1:])
    start = torch.where(restarts, 2 * c.noise["start"] - 1, c.state["buffer"][:m])
    xi = c.noise["chain"] if h["temperature"] > 0 else None
    end, metrics = image_chain(
        lambda x: image_energy(c.state, x),
        start,
        h["langevinSteps"],
        h["langevinStepSize"],
        h["temperature"],
        xi,
        h["driftLimit"],
        clip=True,
    )
    names = energy_names(c)
    p = leaves(c.state, names)
    data, samples = image_energy(p, c.x), image_energy(p, end)
    penalty = (data**2).mean() + (samples**2).mean()
    loss = data.mean() - samples.mean() + h["energyPenalty"] * penalty
    out = adam(c, gradients(loss, p, names), h["learningRate"], (0, 0.999), adam_of_energy)
    out["buffer"] = torch.cat([c.state["buffer"][m:], end])
    return out, dict(loss=loss, energyData=data.mean(), energySamples=samples.mean(), **metrics)


def with_maps(x, y):
    """Constant maps of y [m, classes] behind the channels of x."""
    return x if y is None else torch.cat([x, y[:, None, None, :].expand(*x.shape[:3], y.shape[1])], 3)


def vae_generate_28(c, p, h):
    """1 -> 4 -> 7 -> 14 -> 28; a transposed convolution of "same" padding is the gradient of such a convolution."""
    for i, size in enumerate([4, 7, 14, 28]):
        weight, bias = layer(p, "generator", i)
        whole = F.conv_transpose2d(h.permute(0, 3, 1, 2), weight.permute(3, 2, 0, 1).contiguous(), None, 1 if i == 0 else 2)
        cut = (whole.shape[2] - size) // 2
        h = whole[:, :, cut : cut + size, cut : cut + size]
        if c.hyper["norm"] == "batch" and i < 3:
            h = F.batch_norm(h, None, None, training=True, eps=1e-3)
        h = h.permute(0, 2, 3, 1) + bias
        h = F.relu(h) if i < 3 else torch.tanh(h)
    return h


def vae_generate(c, p, z, y):
    h = (z if y is None else torch.cat([z, y], 1))[:, None, None, :]
    if is28(c.x):
        return vae_generate_28(c, p, h)
    count = layer_count(p, "generator")
    for i in range(count):
        weight, bias = layer(p, "generator", i)
        last = i == count - 1
        if last:
            h = torch.tanh(conv(p, f"generator/{i}", h, 1, 1))
            continue
        kernel = weight.permute(3, 2, 0, 1).contiguous()
        x = h.permute(0, 3, 1, 2)
        if weight.shape[0] == 3:
            h = F.conv_transpose2d(x, kernel, None, 2)[:, :, :-1, :-1]
        else:
            h = F.conv_transpose2d(x, kernel, None, 1 if i == 0 else 2, 0 if i == 0 else 1)
        if c.hyper["norm"] == "batch" and i < count - 2:
            h = F.batch_norm(h, None, None, training=True, eps=1e-3)
        h = F.leaky_relu(h.permute(0, 2, 3, 1) + bias, 0.2)
    return h


def vae_encode(c, p, x, y):
    h = with_maps(x, y)
    count = layer_count(p, "encoder")
    for i in range(count - 1):
        if is28(x):
            h = F.leaky_relu(conv(p, f"encoder/{i}", h, 1 if i == 2 else 2, "same"), 0.2)
            h = h * (c.noise[f"dropout/encoder/{i}"] < 0.8) / 0.8
        else:
            h = F.leaky_relu(conv(p, f"encoder/{i}", h, 1 if i == 0 else 2, 1), 0.2)
    weight, bias = layer(p, "encoder", count - 1)
    mean, log_variance = (h.flatten(1) @ weight + bias).chunk(2, 1)
    return torch.distributions.Normal(mean, (log_variance / 2).exp())


def coopvaebm(c):
    h = c.hyper
    y = c.one_hot if h["conditional"] else None
    reference = 0.0 if h["referenceSigma"] == 0 else h["referenceSigma"] ** -2
    energy = lambda p, x: image_energy(p, with_maps(x, y))
    start = vae_generate(c, c.state, c.noise["proposal"], y).detach()
    end, metrics = image_chain(
        lambda x: energy(c.state, x) + reference * (x**2).flatten(1).sum(1) / 2,
        start,
        h["langevinSteps"],
        h["langevinStepSize"],
        h["temperature"],
        c.noise.get("chain"),
        h["driftLimit"] or None,
        clip=h["driftLimit"] > 0,
    )
    names = energy_names(c)
    p = leaves(c.state, names)
    data, samples = energy(p, c.x), energy(p, end)
    contrast = data.mean() - samples.mean() + h["energyPenalty"] * ((data**2).mean() + (samples**2).mean())
    factor = h["decay"] ** (c.step // (c.n // c.m))
    slot = lambda kind, k: f"adam/energy/{kind}/{k.removeprefix('energy/')}"
    out = adam(c, gradients(contrast, p, names), factor * h["energyLearningRate"], slot=slot)
    names = c.names("encoder", "generator")
    p = leaves(c.state, names)
    q = vae_encode(c, p, end, y)
    z = q.loc + q.scale * c.noise["code"]
    squares = ((vae_generate(c, p, z, y) - end) ** 2).flatten(1).sum(1).mean()
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    loss = squares + h["klWeight"] * kl
    slot = lambda kind, k: f"adam/vae/{kind}/{k}"
    out.update(adam(c, gradients(loss, p, names), factor * h["learningRate"], slot=slot))
    return out, dict(loss=loss, kl=kl, energyData=data.mean(), energySamples=samples.mean(), **metrics)


# ---------------------------------------------------------------- the flow of CoopFlow, affine couplings


def board_mask(h, w):
    return ((torch.arange(h)[:, None] + torch.arange(w)[None, :]) % 2) == 0


def to_board(x):
    """Black and white fields as channels, [m, h, w / 2, 2 c]."""
    m, h, w, c = x.shape
    black = board_mask(h, w)
    return torch.cat([x[:, black].reshape(m, h, w // 2, c), x[:, ~black].reshape(m, h, w // 2, c)], 3)


def from_board(y):
    m, h, half, channels = y.shape
    a, b = y.chunk(2, 3)
    x = torch.zeros(m, h, 2 * half, channels // 2)
    black = board_mask(h, 2 * half)
    x[:, black] = a.reshape(m, -1, channels // 2)
    x[:, ~black] = b.reshape(m, -1, channels // 2)
    return x


def squeeze_maps(x):
    return F.pixel_unshuffle(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def unsqueeze_maps(y):
    return F.pixel_shuffle(y.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def gated(p, at, h, features=None):
    concat_elu = lambda h: torch.cat([F.elu(h), F.elu(-h)], 3)
    h = conv(p, f"{at}/conv", concat_elu(h), 1, 1)
    if features is not None:
        h = h + conv(p, f"{at}/auxiliary", concat_elu(features))
    left, right = conv(p, f"{at}/gate", concat_elu(h)).chunk(2, 3)
    return left * torch.sigmoid(right)


def coupling(p, name, b, features=None):
    """Log scale and shift of the halves that move."""
    h = conv(p, f"{name}/net/first", b, 1, 1)
    i = 0
    while f"{name}/net/blocks/{i}/conv/weight" in p:
        at = f"{name}/net/blocks/{i}"
        h = h + gated(p, at, h, features)
        h = F.layer_norm(h, h.shape[3:], p[f"{at}/norm/gain"], p[f"{at}/norm/shift"])
        i += 1
    raw, t = conv(p, f"{name}/net/last", h, 1, 1).chunk(2, 3)
    return p[f"{name}/rescale"] * torch.tanh(raw), t


def mixing(p, name):
    factors, diagonal = p[f"{name}/mixing/factors"], p[f"{name}/mixing/logDiagonal"]
    lower = torch.eye(len(diagonal)) + torch.tril(factors, -1)
    return lower @ (torch.diag(diagonal.exp()) + torch.triu(factors, 1))


def flow_layer(p, name, x, features=None):
    """Actnorm, mixture of channels and coupling on the halves of the channels, which change places."""
    w = mixing(p, name)
    x = ((x - p[f"{name}/mean"]) * p[f"{name}/logScale"].exp()) @ w
    a, b = x.chunk(2, 3)
    scale, t = coupling(p, name, b, features)
    places = x.shape[1] * x.shape[2]
    log_det = scale.flatten(1).sum(1) + places * (p[f"{name}/logScale"].sum() + torch.linalg.slogdet(w)[1])
    return torch.cat([b, (a + t) * scale.exp()], 3), log_det


def level_noise(p, x, xi):
    """Noise between grey levels that is learned, and its log density; x in [0, 1]."""
    features = conv(p, "dequantizer/features/first", to_board(x - 0.5), 1, 1)
    for i in range(3):
        features = gated(p, f"dequantizer/features/gated/{i}", features)
    t, log_det = to_board(xi), 0.0
    for i in range(4):
        t, change = flow_layer(p, f"dequantizer/layers/{i}", t, features)
        log_det = log_det + change
    u = torch.sigmoid(from_board(t))
    log_normal = torch.distributions.Normal(0.0, 1.0).log_prob(xi).flatten(1).sum(1)
    return u, log_normal - log_det - torch.log(u * (1 - u)).flatten(1).sum(1)


def flow_layers(p):
    """Names by scale and cut, in order."""
    names = sorted({k.split("/")[1] for k in p if k.startswith("flow/")})
    return [[(cut, [f"flow/{n}" for n in names if n.startswith(f"{s}_{cut}")]) for cut in ("channels", "board")] for s in (0, 1)]


def flow_encode(p, v):
    y = 0.9 * (v - 0.5) + 0.5
    x, log_det = torch.logit(y), (math.log(0.9) - torch.log(y * (1 - y))).flatten(1).sum(1)
    left = None
    for s, groups in enumerate(flow_layers(p)):
        if s == 1:
            x, left = squeeze_maps(x).chunk(2, 3)
        for cut, names in groups:
            x = to_board(x) if cut == "board" and names else x
            for name in names:
                x, change = flow_layer(p, name, x)
                log_det = log_det + change
            x = from_board(x) if cut == "board" and names else x
    return torch.cat([x.flatten(1), left.flatten(1)], 1), log_det


def flow_decode(p, code, shape):
    m, h, w, c = shape
    half = [m, h // 2, w // 2, 2 * c]
    size = h * w * c // 2
    x, left = code[:, :size].reshape(half), code[:, size:].reshape(half)
    for s, groups in reversed(list(enumerate(flow_layers(p)))):
        for cut, names in reversed(groups):
            x = to_board(x) if cut == "board" and names else x
            for name in reversed(names):
                b, out = x.chunk(2, 3)
                scale, t = coupling(p, name, b)
                x = torch.cat([out * (-scale).exp() - t, b], 3) @ torch.linalg.inv(mixing(p, name))
                x = x * (-p[f"{name}/logScale"]).exp() + p[f"{name}/mean"]
            x = from_board(x) if cut == "board" and names else x
        if s == 1:
            x = unsqueeze_maps(torch.cat([x, left], 3))
    return (torch.sigmoid(x) - 0.5) / 0.9 + 0.5


def coopflow(c):
    h, size = c.hyper, c.x[0].numel()
    start = (2 * flow_decode(c.state, c.noise["proposal"], c.x.shape) - 1).clamp(-1, 1).detach()
    end, metrics = image_chain(
        lambda x: image_energy(c.state, x),
        start,
        h["langevinSteps"],
        h["langevinStepSize"],
        h["temperature"],
        c.noise.get("chain"),
        h["driftLimit"],
        clip=True,
    )
    rise = min(1.0, (c.step + 1) / h["warmUpSteps"])
    names = c.names("flow", "dequantizer")
    p = leaves(c.state, names)
    u, log_q = c.noise["levels"], 0.0
    if h["dequantization"] == "variational":
        u, log_q = level_noise(p, (end + 1) / 2, c.noise["levels"])
    v = (255 * (end + 1) / 2 + u) / 256
    code, log_det = flow_encode(p, v)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(code).sum(1)
    loss = -(prior + log_det - size * math.log(256) - log_q).mean()
    grads = gradients(loss, p, names)
    norm = math.sqrt(sum(float((g**2).sum()) for g in grads.values()))
    grads = {k: g * min(1.0, h["gradientNorm"] / (norm + 1e-6)) for k, g in grads.items()}
    slot = lambda kind, k: "adam/{}/{kind}/{}".format(*k.split("/", 1), kind=kind)
    out = adam(c, grads, rise * h["flowLearningRate"], (0.9, 0.999), slot)
    names = energy_names(c)
    p = leaves(c.state, names)
    data, samples = image_energy(p, c.x), image_energy(p, end)
    contrast = data.mean() - samples.mean() + h["energyPenalty"] * ((data**2).mean() + (samples**2).mean())
    slot = lambda kind, k: f"adam/energy/{kind}/{k.removeprefix('energy/')}"
    out.update(adam(c, gradients(contrast, p, names), rise * h["energyLearningRate"], (0.5, 0.5), slot))
    bits = loss / (size * math.log(2))
    return out, dict(loss=loss, bitsPerDim=bits, energyData=data.mean(), energySamples=samples.mean(), **metrics)


METHODS = dict(
    vae=vae, vae_flow=vae_flow, abp=abp, dlgm=dlgm, lebm=lebm, lae=lae, lae_neurips=lae_neurips, iwae=iwae,
    sri=sri, sri_layers=sri, lfbm=lfbm, hvae=hvae, langevin_vae=langevin_vae, ebm=ebm, coopvaebm=coopvaebm,
    coopflow=coopflow,
)


def main(source, target):
    with open(source) as file:
        cases = json.load(file)
    for case in cases:
        c = Case(case)
        out, metrics = METHODS[case["method"]](c)
        if "logSigma" in c.state:
            metrics["sigma"] = c.state["logSigma"].exp()
        if "logSigma" in out:
            out["logSigma"] = out["logSigma"].clamp(math.log(1e-3), math.log(3))
        case["next"] = {k: encode(v) for k, v in out.items()}
        case["metrics"] = {k: float(v.detach()) for k, v in metrics.items()}
    with open(target, "w") as file:
        json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))


if __name__ == "__main__":
    main(*sys.argv[1:])
