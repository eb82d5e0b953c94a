# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that PyTorch gives, kept in frozen.json: steps of optimizers, rates, normalisations, activations.

Run as a script, with PyTorch installed, this writes the file anew; the tests import what it was made of.
"""

import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("frozen.json")
START = np.array([-1.2, 1.0, 3.0])
KEPT = (1, 2, 3, 10, 30, 50)  # steps of 50

# PyTorch's optimizer, its options, and those of this package
OPTIMIZERS = {
    "sgd": ("SGD", {"lr": 0.01}, {"momentum": 0.0, "nesterov": False}),
    "momentum": ("SGD", {"lr": 0.01, "momentum": 0.9}, {"nesterov": False}),
    "nesterov": ("SGD", {"lr": 0.01, "momentum": 0.8, "nesterov": True}, {"momentum": 0.8}),
    # epsilon stands elsewhere in PyTorch's Adam, hence 0 in both
    "adam": ("Adam", {"lr": 0.05, "eps": 0.0}, {"epsilon": 0.0}),
    "adam of other means": (
        "Adam",
        {"lr": 0.05, "betas": (0.7, 0.95), "eps": 0.0},
        {"beta_1": 0.7, "beta_2": 0.95, "epsilon": 0.0},
    ),
    "adamw": (
        "AdamW",
        {"lr": 0.05, "weight_decay": 0.3, "eps": 0.0},
        {"weight_decay": 0.3, "epsilon": 0.0},
    ),
    "nadam": ("NAdam", {"lr": 0.05, "eps": 1e-3}, {"epsilon": 1e-3}),
    "nadam of another decay": (
        "NAdam",
        {"lr": 0.05, "betas": (0.8, 0.99), "momentum_decay": 0.1},
        {"beta_1": 0.8, "beta_2": 0.99, "momentum_decay": 0.1},
    ),
    "amsgrad": (
        "Adam",
        {"lr": 0.2, "betas": (0.9, 0.8), "amsgrad": True, "eps": 1e-3},
        {"beta_2": 0.8, "epsilon": 1e-3},
    ),
    "rmsprop": (
        "RMSprop",
        {"lr": 0.05, "alpha": 0.9, "eps": 1e-2},
        {"decay": 0.9, "epsilon": 1e-2},
    ),
    "adagrad": ("Adagrad", {"lr": 0.5, "eps": 1e-2}, {"epsilon": 1e-2}),
    "rprop": ("Rprop", {"lr": 0.01}, {}),
    "rprop within limits": (
        "Rprop",
        {"lr": 0.01, "etas": (0.3, 1.5), "step_sizes": (0.004, 0.05)},
        {"grow": 1.5, "shrink": 0.3, "smallest": 0.004, "largest": 0.05},
    ),
}

# the functions of PyTorch, or formulas, by our names
ACTIVATIONS = {
    "identity": lambda torch, z: z + 0,
    "logistic": lambda torch, z: torch.sigmoid(z),
    "tanh": lambda torch, z: torch.tanh(z),
    "relu": lambda torch, z: torch.relu(z),
    "softplus": lambda torch, z: torch.nn.functional.softplus(z),
    "softsign": lambda torch, z: torch.nn.functional.softsign(z),
    "hard_tanh": lambda torch, z: torch.nn.functional.hardtanh(z),
    "leaky_relu": lambda torch, z: torch.nn.functional.leaky_relu(z),
    "elu": lambda torch, z: torch.nn.functional.elu(z),
    "selu": lambda torch, z: torch.nn.functional.selu(z),
    "gelu": lambda torch, z: torch.nn.functional.gelu(z),
    "silu": lambda torch, z: torch.nn.functional.silu(z),
    "mish": lambda torch, z: torch.nn.functional.mish(z),
    "gaussian": lambda torch, z: torch.exp(-(z**2)),
}
Z = [-2.5, -0.5, 0.25, 1.5]

RNG = np.random.RandomState(0)
X, DELTA = RNG.normal(2, 3, (5, 3)).round(2), RNG.normal(size=(5, 3)).round(2)
GAIN, SHIFT = np.array([1.5, -0.5, 2.0]), np.array([0.1, 0.2, -0.3])
RAW, CLASSES = X - 2, np.array([0, 2, 1, 1, 0])


def gradient(x):
    """A bowl with waves, steeper along some parameters than along others."""
    return np.array([0.5, 2.0, 10.0]) * (x - np.array([1.0, -2.0, 0.5])) + 2 * np.sin(3 * x)


def digits(tensor):
    return np.asarray(tensor.detach()).tolist()


def steps(torch, name, options):
    x = torch.tensor(START, requires_grad=True)
    optimizer, kept = getattr(torch.optim, name)([x], **options), []
    for step in range(1, max(KEPT) + 1):
        x.grad = torch.tensor(gradient(x.detach().numpy()))
        optimizer.step()
        if step in KEPT:
            kept.append(digits(x))
    return kept


def rates(torch, n_steps, rate, scheduler, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule, found = getattr(torch.optim.lr_scheduler, scheduler)(optimizer, **options), []
    for _ in range(n_steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        if len(found) < n_steps:
            schedule.step()
    return found


def normalisation(torch, layer):
    layer = layer.double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(GAIN))
        layer.bias.copy_(torch.tensor(SHIFT))
    x = torch.tensor(X, requires_grad=True)
    out = layer(x)
    out.backward(torch.tensor(DELTA))
    found = {
        "out": digits(out),
        "dX": digits(x.grad),
        "dgain": digits(layer.weight.grad),
        "dshift": digits(layer.bias.grad),
    }
    if hasattr(layer, "running_mean"):
        found["mean"], found["variance"] = digits(layer.running_mean), digits(layer.running_var)
        layer.eval()
        found["predicted"] = digits(layer(x))
    return found


def activation(torch, function):
    z = torch.tensor(Z, dtype=torch.float64, requires_grad=True)
    a = function(torch, z)
    a.sum().backward()
    return [digits(a), digits(z.grad)]


def smoothed_log_loss(torch):
    raw = torch.tensor(RAW, requires_grad=True)
    value = torch.nn.functional.cross_entropy(raw, torch.tensor(CLASSES), label_smoothing=0.2)
    value.backward()
    return [digits(value), digits(raw.grad)]


def write():
    import torch

    torch.set_default_dtype(torch.float64)  # NAdam keeps a product in it

    found = {
        "optimizers": {
            name: steps(torch, theirs, options) for name, (theirs, options, _) in OPTIMIZERS.items()
        },
        "cosine": rates(torch, 11, 0.1, "CosineAnnealingLR", T_max=10, eta_min=0.01),
        "one_cycle": rates(
            torch, 21, 0.1, "OneCycleLR", max_lr=0.3, total_steps=21, pct_start=9 / 21
        ),
        "one_cycle of other factors": rates(
            torch,
            11,
            0.1,
            "OneCycleLR",
            max_lr=0.3,
            total_steps=11,
            pct_start=3 / 11,
            div_factor=5,
            final_div_factor=20,
        ),
        "batch": normalisation(torch, torch.nn.BatchNorm1d(3)),
        "layer": normalisation(torch, torch.nn.LayerNorm(3)),
        "activations": {name: activation(torch, f) for name, f in ACTIVATIONS.items()},
        "smoothed log loss": smoothed_log_loss(torch),
    }
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    FILE.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
else:
    FROZEN = json.loads(FILE.read_text(encoding="utf-8"))
