# SPDX-License-Identifier: BSD-3-Clause
"""k networks side by side: each equals that of the reference, and the same network by itself."""

import pickle

import numpy as np
import pytest
import reference
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import (
    SGD,
    Activate,
    AdamW,
    BatchNorm,
    Constant,
    Cosine,
    Dense,
    Dropout,
    Group,
    Huber,
    InverseScaling,
    Layer,
    LayerNorm,
    Loss,
    Network,
    SquaredError,
    Workspace,
    check_gradients,
)
from sknumpynet.core.network.members import side_by_side
from sknumpynet.core.training import Batches, SideBySide, Training, clip_norm
from sknumpynet.core.training.side_by_side import clip_norms

from .problems import (
    ACTIVATIONS,
    KINKED,
    LOSSES,
    SIZES,
    TRAINABLE,
    flat,
    lists,
    make_data,
    make_loss,
    make_network,
    name_of_loss,
)

K = 3
RATES = [0.5, 0.0, 0.2]


def data_of_members(case, weighted, n=13):
    """Return rows of its own for each member, stacked."""
    each = [make_data(case, n=n, weighted=weighted, seed=i) for i in range(K)]
    X, y, w = ([data[i] for data in each] for i in range(3))
    return np.stack(X), np.stack(y), np.stack(w) if weighted else None


def backpropagate(network, loss, X, y, w=None, n=13):
    work = Workspace(network, n, input_gradient=True)
    raw = network.forward(X, work)
    values, delta = loss.values_and_gradient(y, raw, w, out=work.delta, scratch=work.scratch)
    return values, network.backward(delta, work), raw.copy()


# ---- against the reference


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("activation", "case"),
    [*((a, "squared_error") for a in TRAINABLE), *(("tanh", case) for case in LOSSES)],
)
def test_each_member_is_the_network_of_the_reference(activation, case, weighted, bias):
    network = make_network(activation, bias=bias, n_members=K, rng=list(range(K)))
    X, y, w = data_of_members(case, weighted)
    values, slopes, _ = backpropagate(network, make_loss(case), X, y, w)
    assert values.shape == (K,) and slopes.shape == X.shape
    for i in range(K):
        weights, biases, names = lists(network.members(i))
        value, dW, db, dX = reference.backpropagate(
            X[i], y[i], None if w is None else w[i], weights, biases, names, name_of_loss(case)
        )
        assert_allclose(values[i], value, rtol=1e-9)
        assert_allclose(network.grads[i], flat(dW, db), rtol=1e-8, atol=1e-11)
        assert_allclose(slopes[i], dX, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("dropout", [0, RATES])
@pytest.mark.parametrize("shared", [True, False])
def test_the_gradients_are_the_slopes(shared, dropout, normalization):
    network = make_network(normalization=normalization, dropout=dropout, n_members=K)
    X, y, _ = data_of_members("squared_error", False)
    X, y = (X[0], y[0]) if shared else (X, y)
    report = check_gradients(network, SquaredError(), X, y)
    assert report.n_checked == K * len(network.params[0])


@pytest.mark.parametrize("case", LOSSES)
def test_the_gradients_of_every_loss_are_the_slopes(case):
    X, y, w = make_data(case, weighted=True)
    network = make_network(n_members=2)
    tolerance = 1e-4 if case in KINKED else 1e-5
    assert check_gradients(network, make_loss(case), X, y, w, tolerance=tolerance).n_checked > 0


# ---- against the same networks, alone


def alone(i, **options):
    rate = options.pop("dropout", 0)
    return make_network(dropout=rate[i] if rate else 0, rng=i, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_members_are_the_networks_alone(normalization, activation, dtype):
    options = {"activation": activation, "normalization": normalization, "dtype": dtype}
    network = make_network(n_members=K, rng=list(range(K)), **options)
    X, y, _ = data_of_members("squared_error", False)
    X, y = X.astype(dtype), y.astype(dtype)
    values, slopes, raw = backpropagate(network, SquaredError(), X, y)
    for i in range(K):
        one = alone(i, **options)
        assert_array_equal(network.params[i], one.params)
        assert one.layers == network.members(i).layers
        work = Workspace(one, 13, input_gradient=True)
        tolerance = {"rtol": 1e-4 if dtype == np.float32 else 1e-12, "atol": np.finfo(dtype).eps}
        found = one.forward(X[i], work)
        assert_allclose(raw[i], found, **tolerance)
        value, delta = SquaredError().value_and_gradient(y[i], found)
        assert_allclose(values[i], value, **tolerance)
        assert_allclose(slopes[i], one.backward(delta, work), **tolerance)
        assert_allclose(network.grads[i], one.grads, **tolerance)


@pytest.mark.parametrize("n", [1, 5, 32, 33, 3000])
@pytest.mark.parametrize("order", "CF")
def test_predictions_are_those_of_each(n, order):
    network = make_network(normalization="batch", n_members=K, rng=list(range(K)))
    network.running_stats[...] = np.random.default_rng(0).uniform(
        0.5, 2, network.running_stats.shape
    )
    X = np.asarray(np.random.default_rng(n).normal(size=(n, SIZES[0])), order=order)
    raw = network.predict(X)
    assert raw.shape == (K, n, SIZES[-1])
    for i in range(K):
        assert_allclose(raw[i], network.members(i).predict(X), rtol=1e-12, atol=1e-15)
    rows = np.arange(n)[::2]
    assert_allclose(network.predict(X, rows), raw[:, ::2], rtol=1e-12, atol=1e-15)


def test_running_statistics_are_those_of_each():
    network = make_network(normalization="batch", n_members=K, rng=list(range(K)))
    X, _, _ = data_of_members("squared_error", False)
    work = Workspace(network, 13)
    network.forward(X, work)
    network.update_running_stats(work)
    for i in range(K):
        one = alone(i, normalization="batch")
        its_work = Workspace(one, 13)
        one.forward(X[i], its_work)
        one.update_running_stats(its_work)
        assert_allclose(network.running_stats[i], one.running_stats, rtol=1e-12)


def test_masks_are_those_of_each():
    network = make_network(dropout=RATES, n_members=K, rng=list(range(K)))
    for n in (6, 4):  # the short last batch too
        work = Workspace(network, 6) if n == 6 else Workspace(network, 6).head(4)
        network.sample_masks(work, [np.random.default_rng(i) for i in range(K)])
        for i, rate in enumerate(RATES):
            one = make_network(dropout=rate or 1e-300, rng=i)
            its_work = Workspace(one, n)
            one.sample_masks(its_work, np.random.default_rng(i))
            for mine, its in zip(work.buffers, its_work.buffers, strict=True):
                if its.mask is not None:
                    assert_array_equal(mine.mask[i], its.mask)
    states = [np.random.default_rng(i) for i in range(K)]
    network.sample_masks(work, states)
    assert states[1].random() == np.random.default_rng(1).random()  # without dropout no draw


def test_masks_from_one_generator():
    network = Network([Dense(2, 100), Dropout(RATES), Dense(100, 1)], n_members=K, rng=0)
    work = Workspace(network, 200)
    network.sample_masks(work, np.random.default_rng(0))
    assert_allclose((work.buffers[1].mask == 0).mean(axis=(1, 2)), RATES, atol=0.01)


# ---- the vectors


def test_one_rng_is_for_all_members_in_turn():
    network, rng = make_network(n_members=2, rng=np.random.default_rng(5)), np.random.default_rng(5)
    for i in range(2):
        assert_array_equal(network.params[i], make_network(rng=rng).params)


def test_layers_hold_views_and_nothing_is_shared():
    network = make_network(n_members=K, rng=list(range(K)))
    before = network.params.copy()
    for layer in network.dense:
        assert layer.W.shape == (K, layer.fan_in, layer.fan_out)
        assert layer.b.shape == (K, 1, layer.fan_out)
        assert np.shares_memory(layer.W, network.params)
    X = make_data("squared_error")[0]
    raw = network.predict(X)
    network.params[1] += 1
    changed = (network.predict(X) != raw).any(axis=(1, 2))
    assert_array_equal(changed, [False, True, False])
    some = network.members([0, 2])
    some.params[...] = 0
    assert_array_equal(network.params[[0, 2]], before[[0, 2]])
    assert some.n_members == 2 and network.members(1).n_members is None


def test_pickles_and_copies():
    network = make_network(dropout=RATES, normalization="batch", n_members=K)
    X = make_data("squared_error")[0]
    for other in (pickle.loads(pickle.dumps(network)), network.copy()):
        assert other.n_members == K
        assert_array_equal(other.predict(X), network.predict(X))
        other.params[...] = 0
        assert (other.predict(X) == 0).all() and (network.predict(X) != 0).any()
    assert_allclose(
        network.astype(np.float32).predict(X.astype(np.float32)),
        network.predict(X),
        rtol=1e-4,
        atol=1e-5,
    )


class Drawn(BatchNorm):
    """Running statistics that are drawn."""

    def reset_parameters(self, rng, initializer, bias_initializer=None):
        super().reset_parameters(rng, initializer, bias_initializer)
        self.mean[...] = rng.uniform(size=self.units)


def test_running_statistics_may_be_drawn():
    layers = [Dense(2, 3), Drawn(3), Dense(3, 1)]
    members = Network(layers, n_members=2, rng=[0, 1])
    for i in range(2):
        assert_array_equal(members.running_stats[i], Network(layers, rng=i).running_stats)


def test_rates_of_groups_and_of_members():
    network = Network(
        [Dense(2, 1)], groups={"biases": Group(learning_rate_factor=0.1)}, n_members=2
    )
    rates = network.learning_rates(np.array([[1.0], [2.0]]))
    assert_allclose(rates, [[1, 1, 0.1], [2, 2, 0.2]])


# ---- losses


def test_a_member_without_weights_has_no_loss():
    y, raw = np.ones((2, 3, 1)), np.zeros((2, 3, 1))
    weight = np.array([[1.0, 2, 3], [0, 0, 0]])
    values, gradient = SquaredError().values_and_gradient(y, raw, weight)
    assert_allclose(values, [0.5, 0])
    assert_allclose(gradient[:, :, 0], [[-1 / 6, -2 / 6, -3 / 6], [0, 0, 0]])


class Fixed(Loss):
    """A loss with a mean of its own."""

    def value_and_gradient(self, y, raw, sample_weight=None, *, total=None, out=None, scratch=None):
        return float(raw.max()), np.full_like(raw, raw.max())


def test_a_loss_of_ones_own_is_asked_for_each_member():
    raw = np.arange(6.0).reshape(2, 3, 1)
    values, gradient = Fixed().values_and_gradient(np.zeros((2, 3, 1)), raw)
    assert_array_equal(values, [2, 5])
    assert_array_equal(gradient[:, 0, 0], [2, 5])


def test_targets_of_one_network_raise():
    with pytest.raises(ValueError, match=r"y has shape \(3, 1\).*np.broadcast_to"):
        Huber().values_and_gradient(np.zeros((3, 1)), np.zeros((2, 3, 1)))


# ---- training


def trainings(case, optimizers, pool=False, **options):
    """Return trainings that differ in all that may differ."""
    made = []
    for i, optimizer in enumerate(optimizers):
        network = make_network(dropout=RATES[i % 3], rng=i, groups=GROUPS, **options)
        for layer in network.layers:
            if isinstance(layer, Dropout):
                layer.pool = pool
        training = Training(
            network,
            make_loss(case),
            optimizer,
            [Constant(0.01), Constant(0.03), Cosine(0.02), InverseScaling(0.1)][i % 4],
            np.random.RandomState(i),
            l2=[0.1, 0.0, 1.0][i % 3],
            l1=[0.0, 0.05][i % 2],
            max_grad_norm=[None, 0.5, 1e-320][i % 3],
            shuffle=i != 1,
            max_epochs=5,
        )
        made.append(training)
    return made


GROUPS = {"biases": Group(learning_rate_factor=0.1)}
OPTIMIZERS = {
    "sgd": [SGD(), SGD(), SGD(0.5), SGD(0.5), SGD(0.5, nesterov=False)],
    "adamw": [AdamW(0.1), AdamW(0.1), AdamW(0.0), AdamW(0.0, beta_1=0.5), AdamW(0.2)],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [None, "one", "each"])
@pytest.mark.parametrize("optimizers", OPTIMIZERS)
@pytest.mark.parametrize(
    ("case", "pool"),
    [
        ("squared_error", False),
        ("squared_error", True),
        ("log_loss", False),
        ("binary_log_loss", False),
    ],
)
def test_trainings_side_by_side_equal_separate_ones(case, pool, optimizers, weighted, dtype):
    X, y, w = make_data(case, n=22, weighted=True)
    w[5:9] = 0  # a batch without weights
    weights = None
    if weighted:
        weights = [w if weighted == "one" else np.roll(w, i) for i in range(5)]
    rows = [np.arange(22)[i : i + 17] for i in range(5)]
    alone = trainings(case, [each.clone() for each in OPTIMIZERS[optimizers]], pool, dtype=dtype)
    together = trainings(case, OPTIMIZERS[optimizers], pool, dtype=dtype)
    pack = SideBySide(together, X, y, weights, rows, size=4)
    steps = []
    for i, training in enumerate(alone):
        batches = Batches(X, y, None if weights is None else weights[i], 4, dtype)
        steps.append(training.epochs(batches, rows[i]))
    tolerance = {"rtol": 1e-3 if dtype == np.float32 else 1e-8, "atol": 1e-6}
    live = list(range(5))
    for leaving in ([], [1], [], [0, 3], []):
        records = pack.epoch()
        for record, i in zip(records, live, strict=True):
            assert_allclose(record, next(steps[i]), **tolerance)
        kept = [i for i in live if i not in leaving]
        pack.keep([live.index(i) for i in kept])
        live = kept
    pack.keep([])
    for mine, its in zip(together, alone):
        mine, its = mine.state(), its.state()
        assert mine.keys() == its.keys()
        for name in ("progress", "patience", "plateau_factor", "learning_rate", "mask_rng"):
            assert mine[name] == its[name], name
        assert_array_equal(mine["order"], its["order"])
        assert_array_equal(mine["rng"][1], its["rng"][1])
        assert_allclose(mine["params"], its["params"], **tolerance)
        assert mine["optimizer"].keys() == its["optimizer"].keys()
        for name, vector in its["optimizer"]["state"].items():
            assert_allclose(mine["optimizer"]["state"][name], vector, **tolerance)


def test_rows_of_each_may_be_a_mask_and_must_be_there():
    X, y, _ = make_data("squared_error", n=22, weighted=True)
    mask = np.arange(22) % 3 == 0
    numbers = np.flatnonzero(mask)

    def records(rows):
        optimizers = [each.clone() for each in OPTIMIZERS["sgd"]]
        made = trainings("squared_error", optimizers)
        return SideBySide(made, X, y, None, [rows] * 5, size=4).epoch()

    for rows in (mask, numbers - 22):
        assert_array_equal(records(rows), records(numbers))
    with pytest.raises(IndexError):
        records(np.array([0, 22]))


def test_gradients_beyond_all_squares_are_clipped_as_alone():
    rows = np.array([[3.0, 4.0], [3e200, 4e200], [3e-3, 4e-3], [1e308, 0], [np.inf, 1]])
    limits = np.array([1.0, 1.0, 1.0, 1e-30, np.inf])
    mine = rows.copy()
    norms = clip_norms(mine, limits)
    for i, row in enumerate(rows):
        its = row.copy()
        assert_allclose(norms[i], clip_norm(its, limits[i]))
        assert_allclose(mine[i], its)


def test_networks_of_other_shapes_do_not_lie_side_by_side():
    first = Network([Dense(2, 3), "tanh", Dense(3, 1)], rng=0)
    for other in (
        Network([Dense(2, 4), "tanh", Dense(4, 1)]),
        Network([Dense(2, 3), "relu", Dense(3, 1)]),
        first.astype(np.float32),
        side_by_side([first]),
    ):
        with pytest.raises(ValueError, match="networks must be of one shape and dtype"):
            side_by_side([first, other])


# ---- what raises


class Doubled(Layer):
    def forward(self, x, buffer):
        return 2 * x

    def backward(self, delta, buffer):
        delta *= 2
        return delta


class DoubledMembers(Doubled):
    takes_members = True


def test_a_layer_that_knows_no_members_is_refused_by_name():
    with pytest.raises(ValueError, match=r"Doubled\(\).*takes_members = True"):
        Network([Dense(2, 1), Doubled()], n_members=2)
    network = Network([Dense(2, 1), DoubledMembers()], n_members=2)
    X, y, _ = make_data("squared_error", sizes=(2, 1))
    check_gradients(network, SquaredError(), X, y)


@pytest.mark.parametrize("n_members", [0, -1, 2.0, True, "2"])
def test_bad_numbers_of_members(n_members):
    with pytest.raises(ValueError, match="n_members must be None or an integer above 0; got"):
        Network([Dense(2, 1)], n_members=n_members)


@pytest.mark.parametrize("rate", [[0.5, 0.5], [0.5, 0.5, 1.0], [0.5, 0.5, "a"], -0.1])
def test_bad_rates_of_dropout(rate):
    with pytest.raises(ValueError, match="rate"):
        Network([Dense(2, 1), Dropout(rate)], n_members=3)


def test_a_list_of_rates_is_for_members():
    with pytest.raises(ValueError, match=r"rate must be a number in \[0, 1\)"):
        Network([Dense(2, 1), Dropout([0.1, 0.2])])


def test_bad_batches():
    network = make_network(n_members=K)
    work = Workspace(network, 4)
    for X in (np.zeros((3, 5)), np.zeros((2, 4, 5)), np.zeros((K, 4, 4)), np.zeros(5)):
        with pytest.raises(ValueError, match=r"needs an array of shape \(4, 5\), or \(3, 4, 5\)"):
            network.forward(X, work)
    with pytest.raises(TypeError, match="dense X"):
        network.forward(sp.csr_array(np.ones((4, 5))), work)
    with pytest.raises(ValueError, match=r"network.members\(i\)"):
        network.input_gradients(np.zeros((4, 5)))
    with pytest.raises(ValueError, match="rng lists 2"):
        make_network(n_members=K, rng=[0, 1])


def test_the_layers_that_take_members():
    layers = [Dense(2, 3), "relu", Activate("silu"), Dropout(0.1), LayerNorm(3), BatchNorm(3)]
    assert Network(layers, n_members=1).n_members == 1
