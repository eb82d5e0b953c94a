# SPDX-License-Identifier: BSD-3-Clause
"""Random settings for long_checks.py: what an estimator is given, as a dict of plain entries.

`draw_parity`, `draw_any` and `draw_kill` each take a ``random.Random`` and return a setting: the estimator's
parameters and, as names and numbers, its data. `make_data` turns the latter into arrays. A setting that is
made of the same numbers is the same setting, in any process.
"""

import random

import numpy as np
import scipy.sparse as sp
import sklearn

import sknumpynet as sk

try:
    import pandas
except ImportError:  # arrays stand in for frames and series
    pandas = None

KINDS = ("classifier", "regressor")
WHICH_STEPS = ("adam", "sgd", "adamw", "nadam", "amsgrad", "rmsprop", "adagrad", "rprop", "lion")
ACTIVATIONS = (
    "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish",
    "softplus", "softsign", "hard_tanh", "gaussian",
)  # fmt: skip
INITIALIZERS = (
    "auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
    "lecun_normal", "orthogonal", "zeros",
)  # fmt: skip
# Almost what a parameter may be, or not at all.
ODD_VALUES = (
    -1, 0, 1, 2, 7, -0.5, 0.5, 1.0, 1.5, 1e-320, 1e-200, 1e200, float("nan"), float("inf"),
    -float("inf"), None, True, False, "", "auto", "adam", "foo", "0.5", b"tanh", [], [0.5], (), (2, 3),
    [3, 0], [2.0], [[2]], {}, {0: 1.0}, {"a": 2}, set(), {3}, np.float32(0.5), np.int8(3), np.array(2),
    np.array([2, 3]), np.array([0.5]), np.bool_(True), 1j, object, print, np.sin, range(1, 3), 10**400,
)  # fmt: skip


def drawer(check, seed, number):
    """Return the source of the setting of that number."""
    return random.Random(f"{check} {seed} {number}")


# -------------------------------------------------------------------- custom objects


class OwnActivation(sk.Activation):
    """The arc tangent."""

    in_place, needs_z = False, True

    def forward(self, z, out):
        np.arctan(z, out=out)

    def backward(self, a, delta, scratch):
        z = np.array(a)
        delta /= 1 + z * z


class OwnLoss(sk.Loss):
    """Half the squared error, written anew."""

    def terms_and_gradient(self, y, raw, gradient, scratch):
        np.subtract(raw, y.reshape(raw.shape), out=gradient)
        return 0.5 * gradient**2


class OwnOptimizer(sk.Optimizer):
    """Gradient descent without more."""

    def update(self, params, grads, state, learning_rate, scratch):
        params -= learning_rate * grads


class OwnSchedule(sk.Schedule):
    """Down to a tenth along a line."""

    updates = "step"

    def __init__(self, rate=None):
        self.rate = rate

    def __call__(self, progress):
        return self.peak_rate * (1 - 0.9 * min(progress.step / max(progress.n_steps, 1), 1))


class OwnInitializer(sk.Initializer):
    """The same small numbers each time."""

    def fill(self, view, fan_in, fan_out, rng):
        view[...] = np.linspace(-0.5, 0.5, view.size).reshape(view.shape)


def sine(z):
    return np.sin(z)


def cosine(z):
    return np.cos(z)


def falling(step):
    return 0.01 / (1 + step)


def own_score(estimator, X, y):
    return float(np.mean(np.asarray(estimator.predict(X)) == np.asarray(y)))


# -------------------------------------------------------------------- data


def make_inputs(setting, rng, n, plain=False):
    """Return X of n rows as the setting's container has it, or as a plain array."""
    shape = (n, setting["columns"])
    X = rng.normal(size=shape)
    values = setting["values"]
    if values == "sparse":
        X *= rng.uniform(size=shape) < 0.4
    elif values == "yes or no":
        X = X > 0
    elif values == "constant":
        X[:] = 1.0
    elif isinstance(values, float):
        with np.errstate(over="ignore"):
            X *= values
    dtype = np.dtype(setting["dtype"])
    if dtype.kind in "iu":
        X = np.clip(np.round(4 * X), 0 if dtype.kind == "u" else -100, 100)
    with np.errstate(over="ignore", invalid="ignore"):
        X = X.astype(dtype)
    if values in ("NaN", "inf") and dtype.kind == "f":
        X[-1, 0] = float(values)
    return X if plain else contain(X, setting["container"])


def contain(X, container):
    """Return the dense array X in a container of that name."""
    if container == "array":
        return X
    if container == "column order":
        return np.asfortranarray(X)
    if container == "list":
        return X.tolist()
    if container == "object":
        return X.astype(object)
    if container == "strided":
        return np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    if container == "read-only":
        X.flags.writeable = False
        return X
    if container.startswith("frame"):
        if pandas is None:
            return X
        names = (
            range(X.shape[1]) if "numbers" in container else [f"x{i}" for i in range(X.shape[1])]
        )
        frame = pandas.DataFrame(X, columns=names)
        if "mixed" in container:
            frame[names[0]] = np.round(X[:, 0].astype(float)).astype(int)
        return frame
    return getattr(sp, container)(X.astype(np.float64) if X.dtype == np.float16 else X)


def make_targets(setting, rng, X):
    """Return y for the dense inputs X."""
    n = len(X)
    with np.errstate(all="ignore"):
        Z = np.nan_to_num(X.astype(float), posinf=0, neginf=0)
        size = np.abs(Z).max(initial=0)
        Z = Z / size if size else Z
    z = Z @ rng.normal(size=(Z.shape[1], 3)) + 0.3 * rng.normal(size=(n, 3))
    several = np.column_stack([z[:, 0] > 0, z.argmax(axis=1)]).astype(int)
    words = np.array(["no", "perhaps", "yes"])
    yes = z > 0
    y = {
        # classes
        "binary": lambda: yes[:, 0].astype(int) * 3 - 1,
        "bool": lambda: yes[:, 0],
        "multiclass": lambda: z.argmax(axis=1),
        "strings": lambda: words[z.argmax(axis=1)],
        "object strings": lambda: words.astype(object)[z.argmax(axis=1)],
        "list of strings": lambda: words[z.argmax(axis=1)].tolist(),
        "whole floats": lambda: z.argmax(axis=1) * 1.0,
        "large labels": lambda: z.argmax(axis=1) * 10**12,
        "column of labels": lambda: z.argmax(axis=1)[:, np.newaxis],
        "rare class": lambda: np.where(np.arange(n) == 0, 2, yes[:, 0]),
        "one class": lambda: np.zeros(n, int),
        "multilabel": lambda: yes.astype(int),
        "multilabel bool": lambda: yes,
        "sparse multilabel": lambda: sp.csr_matrix(yes.astype(int)),
        "one label column": lambda: yes[:, :1].astype(int),
        "several columns": lambda: several,
        "several columns of strings": lambda: words[several],
        "categories": lambda: series(words[z.argmax(axis=1)], "category"),
        # numbers
        "numbers": lambda: z[:, 0],
        "float32 numbers": lambda: z[:, 0].astype(np.float32),
        "float16 numbers": lambda: z[:, 0].astype(np.float16),
        "list of numbers": lambda: z[:, 0].tolist(),
        "series": lambda: series(z[:, 0], float),
        "object numbers": lambda: z[:, 0].astype(object),
        "column": lambda: z[:, :1],
        "several targets": lambda: z,
        "several targets in column order": lambda: np.asfortranarray(z),
        "counts": lambda: rng.poisson(np.exp(0.5 * z[:, 0].clip(-3, 3))),
        "several counts": lambda: rng.poisson(np.exp(0.5 * z.clip(-3, 3))),
        "positive": lambda: np.exp(z[:, 0].clip(-5, 5)),
        "zeros": lambda: np.zeros(n),
        "large numbers": lambda: 1e8 * z[:, 0],
        "huge numbers": lambda: 1e300 * z[:, 0],
        "tiny numbers": lambda: 1e-310 * z[:, 0],
        # invalid values
        "NaN": lambda: np.where(np.arange(n) == 1, np.nan, z[:, 0]),
        "short": lambda: z[: n // 2, 0] > 0,
        "nothing": lambda: None,
        "empty columns": lambda: z[:, :0],
        "three dimensions": lambda: z[:, :, np.newaxis],
        "mixed labels": lambda: np.array([1, "a", *range(n)][:n], dtype=object),
    }[setting["target"]]()
    return y


def series(values, dtype):
    return values if pandas is None else pandas.Series(values, dtype=dtype)


def make_weights(name, rng, n):
    """Return weights of rows by the name of their kind."""
    if name == "none":
        return None
    return {
        "random": lambda: rng.uniform(0.1, 2, n),
        "some zero": lambda: rng.uniform(0.1, 2, n) * (rng.uniform(size=n) < 0.7),
        "integers": lambda: rng.randint(1, 4, n),
        "float32": lambda: rng.uniform(0.1, 2, n).astype(np.float32),
        "list": lambda: rng.uniform(0.1, 2, n).tolist(),
        "huge": lambda: rng.uniform(0.1, 2, n) * 1e300,
        "tiny": lambda: rng.uniform(0.1, 2, n) * 1e-300,
        "all zero": lambda: np.zeros(n),
        "negative": lambda: rng.normal(size=n),
        "cancelling": lambda: np.where(np.arange(n) % 2, -1.0, 1.0) * (np.arange(n) < n // 2 * 2),
        "NaN": lambda: np.full(n, np.nan),
        "short": lambda: np.ones(n // 2),
        "number": lambda: 2.0,
    }[name]()


def make_data(setting):
    """Return X, y and what else `fit` is given by name."""
    rng = np.random.RandomState(setting["data_seed"])
    n = setting["rows"]
    dense = make_inputs(setting, rng, n, plain=True)
    y = make_targets(setting, rng, dense)
    given = {"sample_weight": make_weights(setting["weights"], rng, n)}
    validation = setting.get("validation", "none")
    if validation != "none":
        rows = 1 if validation == "one row" else max(2, n // 2)
        X_val = dense[:rows].copy()
        given["X_val"] = contain(X_val, "csc_matrix") if validation == "columns" else X_val
        given["y_val"] = None if y is None else y[:rows]
        if validation == "weighted":
            given["sample_weight_val"] = rng.uniform(0.1, 1, rows)
        if setting["container"].startswith("frame") and validation != "columns":
            given["X_val"] = contain(X_val, setting["container"])
    return contain(dense, setting["container"]), y, given


# -------------------------------------------------------------------- against scikit-learn

PARITY_TARGETS = {
    "classifier": (
        "binary", "bool", "multiclass", "strings", "object strings", "whole floats", "large labels",
        "multilabel", "sparse multilabel",
    ),
    "regressor": (
        "numbers", "column", "several targets", "float32 numbers", "counts", "several counts",
    ),
}  # fmt: skip
# scikit-learn 1.7 cannot score these when it stops early
NOT_SCORED = ("strings", "object strings", "sparse multilabel", "bool", "large labels")


def draw_parity(draw):
    """Draw what scikit-learn's estimators have too, and where the two are meant to agree.

    Where they differ on purpose is said in docs/where_we_differ.md; such draws are made into others here.
    """
    kind, solver = draw.choice(KINDS), draw.choice(["adam", "sgd", "lbfgs"])
    dtype = draw.choice(["float64"] * 3 + ["float32", "float16", "int64", "int8", "bool"])
    # large steps where they neither diverge nor blow up what float32 rounds off
    bold = dtype == "float64" and (kind, solver) != ("regressor", "sgd")
    target = draw.choice(PARITY_TARGETS[kind])
    if solver == "lbfgs" and target == "several targets":
        target = "numbers"
    sizes = [draw.randint(1, 9) for _ in range(draw.randint(0, 3))]
    parameters = {
        "solver": solver,
        "hidden_layer_sizes": draw.choice([tuple(sizes), sizes, draw.randint(1, 12)]),
        "activation": draw.choice(["relu", "tanh", "logistic", "identity"]),
        "alpha": draw.choice([1e-4, 0.0, 0.01, 1.0]),
        "tol": draw.choice([1e-4, 0.0, 1e-6, 0.01, 0.2]),
        "max_iter": draw.choice([15, 12, 9, 6, 3, 1]),
        "random_state": draw.randint(0, 999),
    }
    if target.endswith("counts"):
        parameters["loss"] = "poisson"
    calls = ["fit"]
    if solver == "lbfgs":
        parameters["max_fun"] = draw.choice([15000, 1, 7])
        if draw.random() < 0.3:
            calls, parameters["warm_start"] = ["fit", "fit"], draw.random() < 0.7
    else:
        calls = draw_steps(draw, parameters, bold)
        if dtype == "float32" and parameters["batch_size"] != "auto":
            parameters["batch_size"] = max(20, parameters["batch_size"])
    if sklearn.__version__.startswith("1.7.") and parameters.get("early_stopping"):
        target = "multiclass" if target in NOT_SCORED else target
    return {
        "estimator": kind,
        "parameters": parameters,
        "generator": draw.random() < 0.2,  # random_state is a RandomState
        "calls": calls,
        "target": target,
        "container": draw.choice(
            ["array", "array", "column order", "list", "strided", "read-only", "frame"]
            + [f"{form}_{type_}" for form in ("csr", "csc") for type_ in ("matrix", "array")]
        ),
        "values": draw.choice(
            ["normal", "normal", "sparse", "yes or no", *([10.0] if bold else [])]
        ),
        "weights": draw.choice(
            ["none", "none", "random", "some zero", "integers", "float32", "list"]
        ),
        "rows": draw.randint(20, 60),
        "columns": draw.randint(1, 6),
        "dtype": dtype,
        "data_seed": draw.randint(0, 9999),
    }


def draw_steps(draw, parameters, bold):
    """Draw parameters of the stochastic solvers into the dict, and return the calls that train."""
    rates = [1e-3, 0.01, 1e-4, *([0.1, 1.0] if bold else [])]
    parameters["learning_rate_init"] = draw.choice(rates)
    parameters["batch_size"] = draw.choice(["auto", 200, 1, draw.randint(2, 50)])
    parameters["shuffle"] = draw.random() < 0.7
    parameters["n_iter_no_change"] = draw.choice([10, 1, 2, 3, np.inf])
    if parameters["solver"] == "adam":
        parameters["beta_1"] = draw.choice([0.9, 0.0, 0.5, 0.99])
        parameters["beta_2"] = draw.choice([0.999, 0.9, 0.99])
        parameters["epsilon"] = draw.choice([1e-8, 1e-4, 0.1])
    else:
        parameters["momentum"] = draw.choice([0.9, 0.0, 0.5, 1.0])
        parameters["nesterovs_momentum"] = draw.random() < 0.5
        parameters["learning_rate"] = draw.choice(["constant", "invscaling", "adaptive"])
        parameters["power_t"] = draw.choice([0.5, 0.0, 0.1, 1.0])
    if draw.random() < 0.35:
        parameters["early_stopping"] = True
        parameters["validation_fraction"] = draw.choice([0.1, 0.2, 0.5])
        return ["fit"]
    calls = draw.choice(
        [
            ["fit"],
            ["fit"],
            ["partial_fit"],
            ["partial_fit"] * 3,
            ["fit", "partial_fit"],
            ["fit", "fit"],
        ]
    )
    if "partial_fit" in calls and len(calls) > 1:
        parameters["shuffle"] = False  # there, each call draws the same order
    if calls == ["fit", "fit"] and draw.random() < 0.7:
        parameters["warm_start"] = True
        parameters["n_iter_no_change"] = np.inf  # there, patience is that of the first fit
        if parameters.get("learning_rate") == "adaptive":
            parameters["learning_rate"] = "constant"
    return calls


# -------------------------------------------------------------------- all parameters

LABELS = (
    "binary", "bool", "multiclass", "strings", "object strings", "list of strings", "whole floats",
    "large labels", "column of labels", "rare class", "one class", "multilabel", "multilabel bool",
    "sparse multilabel", "one label column", "several columns", "several columns of strings", "categories",
)  # fmt: skip
NUMBERS = (
    "numbers", "float32 numbers", "float16 numbers", "list of numbers", "series", "object numbers",
    "column", "several targets", "several targets in column order", "counts", "several counts",
    "positive", "zeros", "large numbers", "huge numbers", "tiny numbers",
)  # fmt: skip
NOT_TARGETS = ("NaN", "short", "nothing", "empty columns", "three dimensions", "mixed labels")
TARGETS_OF_LOSS = {
    "poisson": ("counts", "several counts", "positive", "zeros"),
    "gamma": ("positive",),
    "tweedie": ("counts", "positive", "several counts"),
}
SCORES = {
    "classifier": ("accuracy", "neg_log_loss", "f1_macro", "roc_auc", "loss", "neg_brier_score"),
    "regressor": ("r2", "neg_mean_absolute_error", "explained_variance", "loss"),
}


def draw_loss(draw, kind):
    if kind == "classifier":
        return draw.choice(
            ["log_loss", "focal", sk.LogLoss(0.1), sk.Focal(draw.choice([0.0, 0.5, 5])), OwnLoss()]
        )
    names = ["squared_error", "absolute_error", "huber", "log_cosh", "quantile"]
    objects = [
        sk.Huber(draw.choice([0.1, 10, 1e-9])),
        sk.Quantile(draw.choice([0.2, [0.1, 0.5, 0.9], [0.5]])),
        sk.HalfTweedie(draw.choice([0, 1, 1.5, 2, 3])),
        OwnLoss(),
    ]
    return draw.choice([*names, *TARGETS_OF_LOSS, *objects])


def draw_activation(draw, n_layers):
    def one():
        own = [
            OwnActivation(),
            (sine, cosine),
            sk.Function(sine, cosine),
            sk.LeakyReLU(0.2),
            sk.ELU(2),
        ]
        return draw.choice([*ACTIVATIONS, *own])

    return [one() for _ in range(n_layers)] if draw.random() < 0.2 else one()


def draw_solver(draw):
    if draw.random() < 0.2:
        return "lbfgs"
    if draw.random() < 0.65:
        return draw.choice(WHICH_STEPS)
    return draw.choice(
        [
            sk.SGD(0.5, nesterov=False), sk.Adam(0.5, 0.9), sk.AdamW(weight_decay=0.1), sk.NAdam(),
            sk.AMSGrad(0.0), sk.RMSprop(0.5), sk.Adagrad(1e-3), sk.Rprop(1.5), sk.Lion(0.5, 0.5, 0.1),
            OwnOptimizer(),
        ]
    )  # fmt: skip


def draw_schedule(draw):
    names = ["constant", "invscaling", "adaptive", "step", "exponential", "cosine", "one_cycle"]
    objects = [
        sk.Constant(0.01), sk.InverseScaling(0.1, 1), sk.Adaptive(0.1, factor=2), sk.StepDecay(every=2),
        sk.Exponential(factor=0.5), sk.Cosine(warmup=0.2), sk.OneCycle(0.05), sk.Warmup("cosine"),
        sk.Warmup(sk.StepDecay(0.02), steps=3), OwnSchedule(), falling,
    ]  # fmt: skip
    return draw.choice(names if draw.random() < 0.6 else objects)


def draw_initializer(draw):
    objects = [sk.Normal(0.5), sk.Uniform(-2, 1), sk.Orthogonal(2), sk.Zeros(), OwnInitializer()]
    return draw.choice([*INITIALIZERS, *objects])


def draw_any(draw):
    """Draw from all parameters of both estimators and all kinds of data; some settings are invalid."""
    kind, n_layers = draw.choice(KINDS), draw.choice([0, 1, 1, 2, 3])
    sizes = tuple(draw.choice([1, 2, 5, 8]) for _ in range(n_layers))
    drawn = {
        "hidden_layer_sizes": lambda: draw.choice([sizes, list(sizes), np.array(sizes, int)]),
        "activation": lambda: draw_activation(draw, n_layers),
        "solver": lambda: draw_solver(draw),
        "alpha": lambda: draw.choice([0, 1e-3, 1, 1e3, 1e10]),
        "batch_size": lambda: draw.choice(["auto", 1, 2, 7, 16, 10**6]),
        "learning_rate": lambda: draw_schedule(draw),
        "learning_rate_init": lambda: draw.choice([1e-3, 0.01, 0.1, 1.0, 1e-12, 10, 1e5]),
        "power_t": lambda: draw.choice([0, 0.5, 1, 5]),
        "shuffle": lambda: draw.choice([True, False]),
        "tol": lambda: draw.choice([0, 1e-4, 0.1, 100]),
        "warm_start": lambda: draw.choice([True, False]),
        "momentum": lambda: draw.choice([0, 0.5, 1]),
        "nesterovs_momentum": lambda: draw.choice([True, False]),
        "early_stopping": lambda: draw.choice([True, False]),
        "validation_fraction": lambda: draw.choice([0.1, 0.3, 0.5, 0.9]),
        "beta_1": lambda: draw.choice([0, 0.5, 0.99]),
        "beta_2": lambda: draw.choice([0, 0.5, 0.9999]),
        "epsilon": lambda: draw.choice([1e-300, 1e-8, 1, 1e8]),
        "n_iter_no_change": lambda: draw.choice([1, 3, np.inf]),
        "max_fun": lambda: draw.choice([1, 5, 1000]),
        "l1_ratio": lambda: draw.choice([0, 0.3, 1]),
        "dropout": lambda: draw.choice([0, 0.2, 0.99, [draw.choice([0, 0.3])] * (n_layers + 1)]),
        "normalization": lambda: draw.choice([None, "batch", "layer"]),
        "max_grad_norm": lambda: draw.choice([None, 1e-3, 1, 1e300]),
        "fit_intercept": lambda: draw.choice([True, False]),
        "init": lambda: draw_initializer(draw),
        "bias_init": lambda: draw_initializer(draw),
        "scoring": lambda: draw.choice([None, own_score, *SCORES[kind]]),
        "max_time": lambda: draw.choice([None, 1e-9, 1e9]),
        "dtype": lambda: draw.choice([None, "float32", "float64"]),
        "loss": lambda: draw_loss(draw, kind),
    }
    if kind == "classifier":
        weights = [
            "balanced",
            "balanced",
            {0: 2.0, 1: 1.0, 2: 0.0},
            {"no": 3, "yes": 1, "perhaps": 1},
        ]
        weights += [{-1: 1, 2: 5}, [{0: 1, 1: 2}] * 3, {2: 1.0}]
        drawn["class_weight"] = lambda: draw.choice(weights)
        drawn["label_smoothing"] = lambda: draw.choice([0, 0.1, 0.9])
    parameters = {
        "hidden_layer_sizes": sizes,
        "max_iter": draw.randint(1, 6),
        "random_state": draw.randint(0, 999),
    }
    share = draw.choice([0.1, 0.3, 0.6])
    for name, value in drawn.items():
        if draw.random() < share:
            parameters[name] = value()
    targets = LABELS if kind == "classifier" else NUMBERS
    loss = parameters.get("loss")
    loss = "tweedie" if isinstance(loss, sk.HalfTweedie) else loss
    if isinstance(loss, str) and loss in TARGETS_OF_LOSS and draw.random() < 0.85:
        targets = TARGETS_OF_LOSS[loss]
    if draw.random() < 0.03:
        targets = NOT_TARGETS
    if draw.random() < 0.12:
        parameters[draw.choice([*drawn, "verbose", "random_state"])] = draw.choice(ODD_VALUES)
    return {
        "estimator": kind,
        "parameters": parameters,
        "target": draw.choice(targets),
        "container": unusual(
            draw,
            ["array"],
            ["column order", "list", "object", "strided", "read-only", "frame", "frame mixed"]
            + ["frame with numbers as names", "csr_matrix", "csr_array", "csc_matrix", "csc_array"]
            + ["coo_matrix"],
        ),
        "values": unusual(
            draw,
            ["normal", "normal", "sparse"],
            ["yes or no", "constant", 1e3, 1e8, 1e-8, 1e150, 1e-310, 1e307, "NaN", "inf"],
        ),
        "weights": unusual(
            draw,
            ["none", "none", "random"],
            ["some zero", "integers", "float32", "list", "huge", "tiny", "all zero", "negative"]
            + ["cancelling", "NaN", "short", "number"],
        ),
        "validation": unusual(draw, ["none"], ["given", "weighted", "columns", "one row"]),
        "rows": unusual(draw, [30, 40, 25], [1, 2, 3, 5, 12, 60]),
        "columns": draw.randint(1, 5),
        "dtype": unusual(
            draw,
            ["float64", "float64", "float32"],
            ["float16", "int64", "int8", "uint8", "bool", "longdouble"],
        ),
        "data_seed": draw.randint(0, 9999),
    }


def unusual(draw, usually, seldom):
    """Draw from the second list once in four times."""
    return draw.choice(seldom if draw.random() < 0.25 else usually)


# What a setting is made simpler to, entry by entry, where it still shows the same fault.
PLAIN = {
    "container": "array", "values": "normal", "weights": "none", "validation": "none", "rows": 30,
    "columns": 2, "dtype": "float64", "data_seed": 0, "generator": False, "calls": ["fit"],
}  # fmt: skip
PLAIN_TARGET = {"classifier": "binary", "regressor": "numbers"}


# -------------------------------------------------------------------- kills


def draw_kill(draw):
    """Draw a fit of many short epochs, and how its checkpoints are written."""
    kind = draw.choice(KINDS)
    parameters = {
        "hidden_layer_sizes": draw.choice([(5,), (8, 6), (30,), (80, 60)]),
        "solver": draw.choice([*WHICH_STEPS, sk.AdamW(weight_decay=0.1)]),
        "activation": draw.choice(["relu", "tanh", (sine, cosine), OwnActivation()]),
        "learning_rate": draw.choice(
            ["constant", "step", "cosine", sk.Warmup("one_cycle"), falling]
        ),
        "batch_size": draw.choice([20, 50, 200]),
        "max_iter": draw.choice([30, 60, 100]),
        "random_state": draw.randint(0, 999),
        "shuffle": draw.random() < 0.8,
        "early_stopping": draw.random() < 0.4,
        "n_iter_no_change": draw.choice([10, np.inf, np.inf]),
        "dropout": draw.choice([0.0, 0.3]),
        "normalization": draw.choice([None, None, "batch", "layer"]),
        "max_grad_norm": draw.choice([None, 1.0]),
        "tol": draw.choice([0.0, 1e-4]),
        "dtype": draw.choice([None, "float32"]),
    }
    return {
        "estimator": kind,
        "parameters": parameters,
        "generator": draw.random() < 0.2,
        "target": draw.choice(
            ["binary", "strings", "multilabel", "several columns"]
            if kind == "classifier"
            else ["numbers", "several targets"]
        ),
        "container": draw.choice(["array", "csr_matrix", "frame"]),
        "values": "sparse",
        "weights": draw.choice(["none", "random"]),
        "validation": draw.choice(["none", "given"]),
        "rows": draw.choice([60, 200]),
        "columns": 5,
        "dtype": draw.choice(["float64", "float32", "int8"]),
        "data_seed": draw.randint(0, 9999),
        "every": draw.choice([1, 1, 1, 2, 7]),
        "monitored": draw.random() < 0.2,
        "stop_after": draw.choice([None, None, None, 20]),  # epochs: a callback ends the fit there
        "kills": draw.choice([1, 1, 2]),
        "moments": [draw.random(), draw.random()],
    }
