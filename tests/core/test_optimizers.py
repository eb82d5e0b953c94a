# SPDX-License-Identifier: BSD-3-Clause
"""Optimizers: against the equations of their papers, and on problems that they must solve."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

from sknumpynet.core import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    Optimizer,
    RMSprop,
    Rprop,
    arrays,
)
from sknumpynet.core.optimizers import OPTIMIZERS as BY_NAME
from sknumpynet.core.optimizers import get_optimizer

from . import frozen_optimizers as frozen

BASIC = [
    SGD(),
    SGD(nesterov=False),
    SGD(momentum=0),
    Adam(),
    Adam(0.8, 0.99, 1e-4),
    AdamW(),
    AdamW(weight_decay=0.0),
]
OPTIMIZERS = [
    *BASIC,
    NAdam(),
    AMSGrad(),
    RMSprop(),
    Adagrad(),
    Rprop(),
    Lion(),
    Lion(0.5, 0.8, weight_decay=0.3),
]
IDS = [repr(optimizer) for optimizer in OPTIMIZERS]


def parabola(x):
    """Return value and gradient; the minimum, 0, is at (1, -2)."""
    difference, curvature = x - np.array([1, -2], x.dtype), np.array([1, 3], x.dtype)
    return 0.5 * float(curvature @ difference**2), curvature * difference


def rosenbrock(x):
    """Return value and gradient; the minimum, 0, is at (1, 1), along a bent valley."""
    a, b = 1 - x[0], x[1] - x[0] ** 2
    return float(a**2 + 100 * b**2), np.array([-2 * a - 400 * x[0] * b, 200 * b], x.dtype)


RATES = {  # for SGD and for Adam, with the value to be reached
    parabola: (0.05, 0.05, 1e-6),
    rosenbrock: (4e-4, 0.02, 0.02),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [parabola, rosenbrock])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_goes_down_to_the_minimum(optimizer, function, dtype):
    optimizer = optimizer.clone()
    sgd_rate, adam_rate, goal = RATES[function]
    rate = sgd_rate if isinstance(optimizer, SGD) else adam_rate
    if function is rosenbrock and isinstance(optimizer, SGD) and optimizer.momentum == 0:
        rate, goal = 1e-3, 0.2
    x = np.array([-1.2, 1.0], dtype)
    start = function(x)[0]
    rates = np.full(1500, rate)
    if isinstance(optimizer, RMSprop | Lion):  # whose steps shrink with the rate alone
        rates *= np.linspace(1, 0, 1500)
        goal = max(goal, 0.05 * (function is rosenbrock))
    elif isinstance(optimizer, Adagrad | AMSGrad):  # whose steps shrink by themselves
        rates *= 50 if isinstance(optimizer, Adagrad) else 5
    for rate in rates:
        optimizer.step(
            x, function(x)[1], rate, 0
        )  # no parameter counts as a weight, which would decay
    assert x.dtype == dtype and all(state.dtype == dtype for state in optimizer.state.values())
    assert function(x)[0] < goal < start
    assert optimizer.t == 1500


@pytest.mark.parametrize("optimizer", BASIC, ids=repr)
def test_agrees_with_the_reference_and_leaves_the_gradient(optimizer):
    rng = np.random.default_rng(0)
    optimizer = optimizer.clone()
    options = optimizer.get_params()
    decay, n_weights = options.pop("weight_decay", 0.0), 12
    params = rng.normal(size=20)
    expected, state = [params.copy()], [[np.zeros(20)], [np.zeros(20)]]
    for t in range(1, 9):
        grads, rate = rng.normal(size=20) * 10.0 ** rng.integers(-6, 3), 0.1 / t
        kept = grads.copy()
        optimizer.step(params, grads, rate, n_weights)
        assert_array_equal(grads, kept)
        expected[0][:n_weights] -= rate * decay * expected[0][:n_weights]
        if isinstance(optimizer, Adam):
            expected, *state = reference.adam_step(expected, [kept], *state, t, rate, **options)
        else:
            expected, state[0] = reference.sgd_step(expected, [kept], state[0], rate, **options)
        assert_allclose(params, expected[0], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", frozen.OPTIMIZERS)
def test_fifty_steps_are_those_of_pytorch(name):
    cls, options, ours = frozen.OPTIMIZERS[name]
    x = frozen.START.copy()
    # AMSGrad is an option of Adam in PyTorch
    optimizer, kept = get_optimizer("amsgrad" if name == "amsgrad" else cls.lower()), []
    optimizer.set_params(**ours)
    for step in range(1, 51):
        optimizer.step(x, frozen.gradient(x), options["lr"])
        if step in frozen.KEPT:
            kept.append(x.copy())
    assert_allclose(kept, frozen.FROZEN["optimizers"][name], rtol=1e-10, atol=1e-11)


# ---- the textbook's moments


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adam_holds_the_moments_that_scikit_learn_holds(dtype):
    rng = np.random.default_rng(0)
    start = rng.normal(size=30).astype(dtype)
    params, theirs, optimizer = start.copy(), [start.copy()], Adam(0.8, 0.99, 1e-6)
    sklearns = AdamOptimizer(theirs, 0.1, beta_1=0.8, beta_2=0.99, epsilon=1e-6)
    for _ in range(20):
        grads = (rng.normal(size=30) * 10.0 ** rng.integers(-4, 3, 30)).astype(dtype)
        optimizer.step(params, grads, 0.1)
        sklearns.update_params(theirs, [grads])
        eps = float(np.finfo(dtype).eps)
        assert_allclose(optimizer.state["v"], sklearns.vs[0], rtol=20 * eps)
        scale = np.abs(sklearns.ms[0]).max()
        assert_allclose(optimizer.state["m"], sklearns.ms[0], rtol=20 * eps, atol=eps * scale)
        assert_allclose(params, theirs[0], rtol=1e3 * eps, atol=1e2 * eps)


def textbook_step(optimizer, params, g, state, t, rate):
    """Adam, AdamW, NAdam or AMSGrad by the book; ``state``: m, v, the largest v, mu's product."""
    b1, b2, eps = optimizer.beta_1, optimizer.beta_2, optimizer.epsilon
    m, v, largest, product = state
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    largest, numerator, seen = np.maximum(largest, v), m / (1 - b1**t), v
    params = params * (1 - rate * optimizer.weight_decay)
    if isinstance(optimizer, NAdam):
        mu, ahead = (
            b1 * (1 - 0.5 * 0.96 ** (step * optimizer.momentum_decay)) for step in (t, t + 1)
        )
        product *= mu
        numerator = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
    elif isinstance(optimizer, AMSGrad):
        seen = largest
    else:
        eps /= np.sqrt(1 - b2**t)
    params = params - rate * numerator / (np.sqrt(seen / (1 - b2**t)) + eps)
    return params, (m, v, largest, product)


@pytest.mark.parametrize(
    "changed", [{"beta_1": 0.5}, {"beta_2": 0.9}, {"beta_1": 0, "beta_2": 0.5}]
)
@pytest.mark.parametrize("cls", [Adam, AdamW, NAdam, AMSGrad])
def test_betas_may_change_between_steps(cls, changed):
    rng, optimizer = np.random.default_rng(0), cls()
    params = expected = rng.normal(size=20)
    params, state = params.copy(), (0.0, 0.0, 0.0, 1.0)
    for t in range(1, 21):
        if t == 11:
            optimizer.set_params(**changed)
        grads = rng.normal(size=20)
        optimizer.step(params, grads, 0.1)
        expected, state = textbook_step(optimizer, expected, grads, state, t, 0.1)
        assert_allclose(params, expected, rtol=1e-11, atol=1e-13)
        assert_allclose(optimizer.state["m"], state[0], rtol=1e-12, atol=1e-15)
        assert_allclose(optimizer.state["v"], state[1], rtol=1e-12)


# ---- one rate for each parameter


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("piece", [100, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_equal_rates_are_the_one_rate(monkeypatch, optimizer, piece, dtype):
    monkeypatch.setattr(arrays, "PIECE", piece)
    rng, n = np.random.default_rng(0), 11
    one, each = optimizer.clone(), optimizer.clone()
    x = rng.normal(size=n).astype(dtype)
    y = x.copy()
    for t in range(1, 7):
        grads = rng.normal(size=n).astype(dtype)
        one.step(x, grads, 0.1 / t, 7)
        each.step(y, grads, np.full(n, 0.1 / t), 7)
        assert x.dtype == y.dtype == dtype
        assert_allclose(y, x, rtol=50 * np.finfo(dtype).eps, atol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("n_weights", [None, 0, 4, 7])
@pytest.mark.parametrize("piece", [100, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_differing_rates_are_those_of_separate_optimizers(monkeypatch, optimizer, piece, n_weights):
    monkeypatch.setattr(arrays, "PIECE", piece)
    rng, n = np.random.default_rng(0), 11
    rates = np.repeat([0.1, 0.02, 0.3], [4, 3, 4])
    parts = [(slice(0, 4), 0.1), (slice(4, 7), 0.02), (slice(7, 11), 0.3)]
    whole, alone = optimizer.clone(), [optimizer.clone() for _ in parts]
    x = rng.normal(size=n)
    y = x.copy()
    for t in range(1, 7):
        grads = rng.normal(size=n)
        whole.step(x, grads, rates / t, n_weights)
        for mine, (part, rate) in zip(alone, parts):
            n_mine = None if n_weights is None else min(max(n_weights - part.start, 0), 4)
            mine.step(y[part], grads[part], rate / t, n_mine)
        assert_allclose(x, y, rtol=1e-12, atol=1e-14)


def test_rates_may_be_a_list_and_must_be_as_many_as_parameters():
    params, one = np.zeros(3), SGD(0)
    one.step(params, np.ones(3), [0.1, 0.2, 0.0])
    assert_allclose(params, [-0.1, -0.2, 0])
    one.step(params, np.ones(3), np.float32(0.5))
    assert_allclose(params, [-0.6, -0.7, -0.5])
    for wrong in (np.full(2, 0.1), np.full((3, 1), 0.1)):
        with pytest.raises(ValueError, match=r"learning_rate must be .* shape \(3,\).* got"):
            one.step(params, np.ones(3), wrong)
    assert_allclose(params, [-0.6, -0.7, -0.5])


@pytest.mark.parametrize("optimizer", [Lion(), Lion(0.5, 0.8, weight_decay=0.3)], ids=repr)
def test_lion_agrees_with_the_reference(optimizer):
    rng = np.random.default_rng(0)
    optimizer, params = optimizer.clone(), rng.normal(size=20)
    expected, m = [params.copy()], [np.zeros(20)]
    for t in range(1, 9):
        grads = rng.normal(size=20)
        grads[3] = 0
        kept = grads.copy()
        optimizer.step(params, grads, 0.1 / t)
        assert_array_equal(grads, kept)
        expected, m = reference.lion_step(expected, [grads], m, 0.1 / t, **optimizer.get_params())
        assert_allclose(params, expected[0], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_gradients_stay_as_they_are(optimizer):
    optimizer, rng = optimizer.clone(), np.random.default_rng(0)
    params = rng.normal(size=6)
    for _ in range(4):
        grads = rng.normal(size=6)
        kept = grads.copy()
        optimizer.step(params, grads, 0.1)
        assert_array_equal(grads, kept)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_no_gradient_no_step(optimizer):
    optimizer, params = optimizer.clone(), np.array([1.0, -2.0])
    for _ in range(3):
        optimizer.step(params, np.zeros(2), 0.1, 0)
    assert_array_equal(params, [1.0, -2.0])


def test_rprop_by_hand():
    # the same sign: a longer step; the other sign: half of it and no step back; then on with that size
    params, optimizer = np.array([0.0]), Rprop()
    for g, expected in [(1.0, -0.1), (5.0, -0.22), (-1.0, -0.16), (-1.0, -0.1), (-1.0, -0.028)]:
        optimizer.step(params, np.array([g]), 0.1)
        if g == -1.0 and expected == -0.16:
            assert_allclose(params, -0.22)  # where the sign turned nothing moves
            params[...] = -0.16
            continue
        assert_allclose(params, expected, rtol=1e-12)


def test_amsgrad_remembers_the_largest_gradient():
    # after one large gradient its steps stay short, and Adam's do not
    steps = {}
    for cls in (Adam, AMSGrad):
        params, optimizer = np.zeros(1), cls(beta_1=0.0, beta_2=0.5)
        for g in [100.0] + [1.0] * 50:
            before = params.copy()
            optimizer.step(params, np.array([g]), 0.1)
        steps[cls] = float(before[0] - params[0])
    assert steps[Adam] == pytest.approx(0.1) and steps[AMSGrad] < 0.003


def test_first_steps_of_adam_by_hand():
    # g = 1, -0.5, 2: m = 0.1, 0.04, 0.236 and v = 0.001, 0.001249, 0.005247751; divided by 1 - 0.9^t and
    # 1 - 0.999^t they give steps of rate * m / sqrt(v), to 12 digits
    steps = [0.1, 0.0266337039660, 0.0658111600254]
    params, optimizer = np.array([1.0]), Adam(epsilon=0)
    for g, expected in zip([1.0, -0.5, 2.0], 1 - np.cumsum(steps)):
        optimizer.step(params, np.array([g]), 0.1)
        assert_allclose(params, expected, rtol=1e-11)


def test_epsilon_of_adam_stands_beside_the_uncorrected_root():
    # one step: m = 0.1 g, v = 0.001 g^2, rate * sqrt(0.001) / 0.1 * m / (sqrt(v) + epsilon)
    params = np.array([0.0])
    Adam(epsilon=0.5).step(params, np.array([2.0]), 0.1)
    assert_allclose(params, -0.1 * np.sqrt(0.001) / 0.1 * 0.2 / (np.sqrt(0.004) + 0.5), rtol=1e-13)


def test_adam_does_not_divide_by_zero():
    params = np.array([1.0, 1.0])
    Adam().step(params, np.array([0.0, 1.0]), 0.1)
    assert_allclose(params, [1.0, 0.9], rtol=1e-6)


def test_momentum_by_hand():
    # velocity: -0.1, then 0.9 * -0.1 - 0.1 = -0.19
    params, optimizer = np.array([1.0]), SGD(0.9, nesterov=False)
    for expected in (0.9, 0.71):
        optimizer.step(params, np.array([1.0]), 0.1)
        assert_allclose(params, expected, rtol=1e-14)


def test_nesterov_looks_ahead_along_the_velocity():
    # In the paper the gradient is taken at the point looked ahead to, theta + mu v, and theta is moved;
    # the optimizer keeps the point looked ahead to itself.
    mu, rate = 0.9, 0.05
    theta, velocity = np.array([3.0, 3.0]), np.zeros(2)
    params, optimizer = theta.copy(), SGD(mu)
    for _ in range(10):
        velocity = mu * velocity - rate * parabola(theta + mu * velocity)[1]
        theta = theta + velocity
        optimizer.step(params, parabola(params)[1], rate)
        assert_allclose(params, theta + mu * velocity, rtol=1e-12)


def test_weight_decay_by_hand():
    params = np.array([2.0, 2.0])
    AdamW(weight_decay=0.5).step(params, np.zeros(2), 0.1, 1)
    assert_allclose(params, [1.9, 2.0], rtol=1e-14)
    AdamW(weight_decay=0.5).step(params, np.zeros(2), 0.1)
    assert_allclose(params, [1.805, 1.9], rtol=1e-14)
    Lion(weight_decay=0.5).step(params, np.zeros(2), 0.1, 1)
    assert_allclose(params, [1.71475, 1.9], rtol=1e-14)


@pytest.mark.parametrize("n", [10, 11, 12])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_long_vectors_in_pieces_come_out_as_in_one(monkeypatch, optimizer, n):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=n), rng.normal(size=(4, n))
    results = []
    for piece in (n, 5, 3):
        monkeypatch.setattr(arrays, "PIECE", piece)
        mine, params = optimizer.clone(), start.copy()
        for grads in gradients[:2]:
            mine.step(params, grads, 0.1, 7)
        mine = pickle.loads(pickle.dumps(mine))
        for grads in gradients[2:]:
            mine.step(params, grads, 0.1, 7)
        assert mine.t == 4
        results.append([params, *mine.state.values()])
    for one, two, three in zip(*results):
        assert_array_equal(one, two)
        assert_array_equal(one, three)


@pytest.mark.parametrize("n", [1, 5, 99, 100, 101, 199, 200, 201, 535_818])
def test_pieces_are_the_whole_and_about_equal(monkeypatch, n):
    monkeypatch.setattr(arrays, "PIECE", 100)
    found = arrays.pieces(n)
    assert [i for piece in found for i in range(n)[piece]] == list(range(n))
    sizes = [piece.stop - piece.start for piece in found]
    assert sizes[0] == max(sizes) < 200 and len(set(sizes[:-1])) < 2
    assert (len(found) == 1) == (n < 200)


def test_names_and_objects_become_fresh_optimizers():
    assert get_optimizer("adamw") == AdamW()
    own = SGD(0.5)
    own.step(np.ones(1), np.ones(1), 0.1)
    fresh = get_optimizer(own)
    assert fresh == own and fresh is not own and not hasattr(fresh, "state")
    with pytest.raises(ValueError, match=r"^solver must be one of 'sgd', 'adam', 'adamw'"):
        get_optimizer("adam2")
    for name, cls in BY_NAME.items():
        assert type(get_optimizer(name)) is cls
    assert {type(optimizer) for optimizer in OPTIMIZERS} == set(BY_NAME.values())


@pytest.mark.parametrize(
    "twin", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_a_copy_goes_on_identically_and_apart(optimizer, twin):
    optimizer = optimizer.clone()
    x = np.array([-1.2, 1.0])
    for _ in range(3):
        optimizer.step(x, rosenbrock(x)[1], 1e-3)
    other, y = twin(optimizer), x.copy()
    for _ in range(4):
        optimizer.step(x, rosenbrock(x)[1], 1e-3)
    for _ in range(4):
        other.step(y, rosenbrock(y)[1], 1e-3)
    assert_array_equal(x, y)
    assert other.t == optimizer.t == 7


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_goes_on_from_a_file_opened_for_reading(optimizer, tmp_path):
    optimizer, grads = optimizer.clone(), np.array([1.0, -2.0])
    optimizer.step(np.zeros(2), grads, 0.1)
    joblib.dump(optimizer, tmp_path / "optimizer")
    loaded = joblib.load(tmp_path / "optimizer", mmap_mode="r")
    assert not any(vector.flags.writeable for vector in loaded.state.values())
    x, y = np.zeros(2), np.zeros(2)
    optimizer.step(x, grads, 0.1)
    loaded.step(y, grads, 0.1)
    assert_array_equal(x, y)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=IDS)
def test_a_pickle_holds_the_state_and_no_scratch(optimizer):
    optimizer = optimizer.clone()
    n = 10_000
    fresh = len(pickle.dumps(optimizer))
    optimizer.step(np.ones(n), np.ones(n), 0.1)
    assert len(pickle.dumps(optimizer)) - fresh < len(optimizer.state_names) * n * 8 + 1000


def test_the_base_class_has_no_equations():
    with pytest.raises(NotImplementedError):
        Optimizer().step(np.ones(1), np.ones(1), 0.1)
