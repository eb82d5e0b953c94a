# SPDX-License-Identifier: BSD-3-Clause
"""The layers of networks for tables: against formulas, central differences, and numbers by hand."""

import copy
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
import reference
import scipy.sparse as sp
from memory import peak_bytes
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import (
    Adam,
    Constant,
    Dense,
    Dropout,
    GlorotNormal,
    GlorotUniform,
    Group,
    HeUniform,
    LecunNormal,
    Network,
    Normal,
    NumericEmbedding,
    Orthogonal,
    Scale,
    SquaredError,
    Uniform,
    Workspace,
    Zeros,
    check_gradients,
    fit_to_data,
)
from sknumpynet.core.layers.dropout import DropoutPool
from sknumpynet.core.layers.members import MemberDropout
from sknumpynet.core.network.members import side_by_side
from sknumpynet.core.training import Batches, Training

N = 9


def make_network(columns=2, features=4, H=5, o=3, ntk=True, pool=False, **options):
    width = columns * o + features
    kind = {"parametrization": "ntk" if ntk else "standard"}
    layers = [
        NumericEmbedding(columns, H, o),
        Scale(width),
        Dense(width, 6, **kind),
        "silu",
        Dropout(0.3, pool=pool),
        Dense(6, 2, **kind),
    ]
    return Network(layers, n_features=features, **{"rng": 0, **options})


def make_rows(n=N, features=4, dtype=np.float64):
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, features)).astype(dtype), rng.normal(size=(n, 2)).astype(dtype)


def embedding_alone(columns, features, H, o, n=N):
    """A network whose embedding has its rows from a dense layer that changes nothing."""
    layers = [Dense(features, features, bias=False), NumericEmbedding(columns, H, o)]
    network = Network(layers, rng=0)
    network.dense[0].W[...] = np.eye(features)
    return network, network.layers[1], Workspace(network, n, input_gradient=True)


# ---- numeric embedding


SIZES = [(1, 1, 1, 1), (1, 3, 4, 2), (3, 3, 1, 5), (2, 5, 16, 3)]


@pytest.mark.parametrize("size", SIZES)
def test_embedding_is_the_formula(size):
    columns, features, _, o = size
    network, layer, work = embedding_alone(*size)
    X, rng = make_rows(N, features)[0], np.random.default_rng(2)
    w, b = layer.P[..., 0].copy(), layer.P[..., 1].copy()
    expected = reference.embed(X, w, b, layer.V)
    assert expected.shape == (N, columns * o + features)
    assert_allclose(network.forward(X, work), expected, rtol=1e-12, atol=1e-12)
    assert_allclose(network.predict(X), expected, rtol=1e-12, atol=1e-12)
    delta = rng.normal(size=expected.shape)
    dw, db, dV, dX = reference.embed_slopes(X, w, b, layer.V, delta)
    for _ in range(
        2
    ):  # gradients are written, not added, and nothing that they need is overwritten
        assert_allclose(network.backward(delta.copy(), work), dX, rtol=1e-11, atol=1e-11)
        assert_allclose(layer.dP, np.stack([dw, db], axis=-1), rtol=1e-11, atol=1e-11)
        assert_allclose(layer.dV, dV, rtol=1e-11, atol=1e-11)


def test_embedding_of_a_short_batch_uses_the_same_memory():
    network, _, whole = embedding_alone(2, 5, 4, 3)
    X, delta = make_rows(N, 5)[0], np.random.default_rng(0).normal(size=(4, 11))
    network.forward(X, whole)  # something else lies there
    results = []
    for work in (whole.head(4), Workspace(network, 4, input_gradient=True)):
        out = network.forward(X[:4], work).copy()
        flow = network.backward(delta.copy(), work).copy()
        results.append([out, flow, network.grads.copy()])
    for got, expected in zip(*results):
        assert_allclose(got, expected, rtol=1e-13, atol=1e-13)
    part = whole.head(4).buffers[1]
    for name in ("S", "C", "E", "angles", "minus_dS", "dx", "out"):
        assert np.shares_memory(getattr(part, name), getattr(whole.buffers[1], name)), name
    prediction = Workspace(network, N, training=False).head(3)
    assert_allclose(network.forward(X[:3], prediction), results[0][0][:3])


@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_left_as_they_are(order):
    network, X = make_network(), np.asarray(make_rows()[0], order=order)
    kept = X.copy()
    work = Workspace(network, N)
    network.backward(network.forward(X, work).copy(), work)
    network.predict(X)
    assert_array_equal(X, kept)


def test_first_frequencies_phases_and_mixes():
    layers = [NumericEmbedding(40, 100, 2, frequency=3.0, spread=spread) for spread in (0.0, 0.5)]
    for layer, kurtosis in zip(layers, (3.0, 3 * math.exp(4 * 0.5**2))):
        network = Network([layer, Dense(120, 1)], n_features=40, initializer=Zeros(), rng=0)
        P, V = network.layers[0].P, network.layers[0].V
        w = P[..., 0] / 3
        assert abs(w.mean()) < 0.1
        assert_allclose((w**2).mean(), math.exp(2 * layer.spread**2), rtol=0.15)
        assert_allclose((w**4).mean() / (w**2).mean() ** 2, kurtosis, rtol=0.5)
        assert abs(P[..., 1]).max() <= math.pi and abs(P[..., 1].std() - math.pi / 3**0.5) < 0.05
        assert (
            0.099 < abs(V).max() <= 0.1
        )  # 1 / sqrt(100), whatever the initializer of dense layers


def test_embedding_needs_its_columns_as_an_array():
    with pytest.raises(
        ValueError, match=r"n_columns=5\) has 4 input columns; set n_columns=4 or less"
    ):
        Network([NumericEmbedding(5), Dense(19, 1)], n_features=4)
    for first in (NumericEmbedding(2, 4, 3), Scale(4)):
        layers = [first, Dense(first.width(4), 1)]
        network = Network(layers, n_features=4)
        with pytest.raises(TypeError, match=rf"{type(first).__name__}.* takes arrays, not csr"):
            network.predict(sp.csr_array(make_rows()[0]))


def test_number_of_inputs_is_required():
    message = (
        r"Dense\(fan_in=11, fan_out=1\) follows a layer of 17 units; set fan_in=17, or set n_features of "
        "the network to the number of inputs"
    )
    with pytest.raises(ValueError, match=message):
        Network([NumericEmbedding(2), Dense(11, 1)])
    with pytest.raises(ValueError, match=r"set fan_in=12$"):
        Network([NumericEmbedding(2), Dense(11, 1)], n_features=6)


def test_the_first_layers_are_a_network():
    network, X = make_network(), make_rows()[0]
    w, b = np.moveaxis(network.layers[0].P, -1, 0)
    embedded = reference.embed(X, w, b, network.layers[0].V)
    for n, expected in ((1, embedded), (2, embedded * network.layers[1].s)):
        part = network.first(n)
        assert part.n_outputs == 10
        assert_allclose(part.predict(X), expected)


# ---- scale


def test_scale_by_hand():
    network = Network([Scale(3), Dense(3, 1, bias=False)], rng=0)
    scale, dense = network.layers
    assert_array_equal(scale.s, 1)
    scale.s[...], dense.W[...] = [1, 0, -2], [[1], [2], [3]]
    X, work = np.array([[1.0, 2, 3], [4, 5, 6]]), Workspace(network, 2, input_gradient=True)
    assert_array_equal(network.forward(X, work), [[-17], [-32]])
    delta_x = network.backward(np.array([[1.0], [10]]), work)
    assert_array_equal(delta_x, [[1, 0, -6], [10, 0, -60]])
    assert_array_equal(scale.ds, [41, 104, 189])
    assert_array_equal(dense.dW, [[41], [0], [-126]])
    with pytest.raises(
        ValueError, match=r"Scale\(units=3\) follows a layer of 2 units; set units=2"
    ):
        Scale(3).width(2)


# ---- dense layers in the neural tangent parametrisation


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
def test_ntk_by_hand(bias, sparse):
    network = Network([Dense(4, 2, bias=bias, parametrization="ntk")], rng=0)
    layer = network.layers[0]
    layer.W[...] = [[2, 0], [4, 6], [0, 0], [0, -8]]
    if bias:
        layer.b[...] = [10, 20]
    X = np.array([[1.0, 2, 0, 0], [0, 0, 0, 1]])
    work = Workspace(network, 2, input_gradient=not sparse)
    z = network.forward(sp.csr_array(X) if sparse else X, work)
    assert_array_equal(z, np.array([[5, 6], [0, -4]]) + bias * np.array([10, 20]))
    delta_x = network.backward(np.array([[2.0, 0], [0, 4]]), work)
    assert_array_equal(layer.dW, [[1, 0], [2, 0], [0, 0], [0, 2]])
    if bias:
        assert_array_equal(layer.db, [2, 4])
    if not sparse:
        assert_array_equal(delta_x, [[2, 4, 0, 0], [0, 12, 0, -16]])
    assert_array_equal(layer.product_weights(), layer.W / 2)


INITIALIZERS = [
    None,
    LecunNormal(),
    GlorotNormal(),
    HeUniform(),
    Orthogonal(),
    Normal(0.2),
    Zeros(),
]


@pytest.mark.parametrize("initializer", INITIALIZERS, ids=repr)
def test_ntk_begins_as_the_same_function(initializer):
    plain, ntk = (
        Network(
            [Dense(300, 40, parametrization=name), "tanh", Dense(40, 3, parametrization=name)],
            initializer=(initializer or LecunNormal()) if name == "standard" else initializer,
            bias_initializer=Uniform(-1, 1),
            rng=0,
        )
        for name in ("standard", "ntk")
    )
    X = np.random.default_rng(0).normal(size=(20, 300))
    assert_allclose(ntk.predict(X), plain.predict(X), rtol=1e-12, atol=1e-12)
    for one, other in zip(plain.dense, ntk.dense):
        assert_allclose(other.product_weights(), one.W, rtol=1e-14)
    if initializer is None:
        assert_allclose([ntk.dense[0].W.mean(), ntk.dense[0].W.std()], [0, 1], atol=0.02)


def test_each_layer_has_its_own_default():
    ntk = Dense(300, 40, parametrization="ntk")
    network = Network([Scale(300), ntk, "tanh", Dense(40, 20)], rng=0)
    assert_allclose(network.dense[0].W.std(), 1, atol=0.02)
    bound = math.sqrt(6 / 60)
    assert 0.95 * bound < abs(network.dense[1].W).max() <= bound


def test_without_ntk_the_default_initializer_is_what_it_was():
    layers = [Dense(4, 3), "relu", Dense(3, 2)]
    one, other = Network(layers, rng=0), Network(layers, initializer=GlorotUniform(), rng=0)
    assert_array_equal(one.params, other.params)
    assert other.dense[0].product_weights() is other.dense[0].W


def test_a_step_of_gradient_descent_is_fan_in_times_smaller():
    """W = sqrt(d) V: a step on W is one on V = W / sqrt(d) with the rate over d."""
    X, y = make_rows(features=50)
    moved = {}
    for name in ("standard", "ntk"):
        layer = Dense(50, 2, parametrization=name)
        network = Network([layer], initializer=LecunNormal(), rng=0)
        work, layer = Workspace(network, N), network.layers[0]
        _, delta = SquaredError().value_and_gradient(y, network.forward(X, work))
        before = layer.product_weights().copy()
        network.backward(delta, work)
        layer.W -= 0.1 * layer.dW
        moved[name] = layer.product_weights() - before
    assert_allclose(50 * moved["ntk"], moved["standard"], rtol=1e-10)


def test_layers_of_older_pickles_are_as_they_were():
    for layer, name in ((Dense(4, 2), "parametrization"), (Dropout(0.5), "pool")):
        vars(layer).pop(name)
        layer.check()
        twin = pickle.loads(pickle.dumps(layer))
        assert twin == type(layer)(**{k: v for k, v in layer.get_params().items() if k != name})


# ---- all of them in one network


@pytest.mark.parametrize("ntk", [True, False])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fitted", [True, False])
def test_gradients_are_central_differences(size, ntk, fitted):
    columns, features, H, o = size
    network = make_network(columns, features, H, o, ntk, pool=fitted)
    X, y = make_rows(features=features)
    network.layers[1].s[...] = np.random.default_rng(0).normal(1, 0.3, network.layers[1].s.shape)
    if fitted:
        fit_to_data(network, X, rng=0)
    report = check_gradients(network, SquaredError(), X, y, np.arange(1.0, N + 1))
    assert report.n_checked == len(network.params) and report.max_error < 1e-6


def test_a_layer_before_an_embedding_gets_its_gradient():
    layers = [Dense(4, 3), "tanh", NumericEmbedding(2, 5, 3), "tanh", Scale(9), "silu", Dense(9, 2)]
    X, y = make_rows()
    report = check_gradients(Network(layers, rng=0), SquaredError(), X, y)
    assert report.n_checked > 0 and report.max_error < 1e-6
    network = make_network()
    raw, slopes = network.input_gradients(X)
    assert_allclose(raw, network.predict(X))
    for i, moved in enumerate(1e-6 * np.eye(4)):
        expected = (network.predict(X + moved) - network.predict(X - moved)) / 2e-6
        assert_allclose(slopes[..., i], expected, atol=1e-7)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, Network.copy, lambda net: pickle.loads(pickle.dumps(net))],
    ids=["copy", "deepcopy", "Network.copy", "pickle"],
)
def test_copies_are_whole(copied):
    network, (X, y) = make_network(pool=True), make_rows()
    twin = copied(network)
    assert repr(twin) == repr(network)
    assert_array_equal(twin.predict(X), network.predict(X))
    assert_array_equal(twin.learning_rates(1.0), network.learning_rates(1.0))
    check_gradients(twin, SquaredError(), X, y)
    assert np.shares_memory(twin.layers[0].P, twin.params)
    assert len(pickle.dumps(network)) < network.params.nbytes + 2000


def test_single_precision():
    network, (X, y) = make_network(), make_rows()
    single = network.astype(np.float32)
    work = Workspace(single, N)
    raw = single.forward(X.astype(np.float32), work)
    assert raw.dtype == np.float32
    assert_allclose(raw, network.forward(X, Workspace(network, N)), rtol=2e-5, atol=2e-5)
    _, delta = SquaredError().value_and_gradient(y.astype(np.float32), raw)
    single.backward(delta, work)
    assert all(buffer.out.dtype == np.float32 for buffer in work.buffers)
    doubled = Workspace(network, N)
    _, delta = SquaredError().value_and_gradient(y, network.forward(X, doubled))
    network.backward(delta, doubled)
    assert_allclose(single.grads, network.grads, rtol=1e-3, atol=1e-4)


def test_groups_have_their_rates_and_none_of_these_decays():
    groups = {
        "embeddings": Group(learning_rate_factor=0.1),
        "scales": Group(learning_rate_factor=6.0),
    }
    network = make_network(groups=groups)
    assert network.n_decayed == network.n_weights == 10 * 6 + 6 * 2
    rates = network.learning_rates(1.0)
    for layer, name, rate in (
        (network.layers[0], "P", 0.1),
        (network.layers[0], "V", 0.1),
        (network.layers[1], "s", 6.0),
        (network.layers[2], "W", 1.0),
        (network.layers[2], "b", 1.0),
    ):
        network.params[...] = 0
        getattr(layer, name)[...] = 1
        assert_array_equal(rates[network.params == 1], rate)
    assert_allclose(sorted(set(rates)), [0.1, 1, 6])


@pytest.mark.parametrize("pool", [True, False])
def test_training_continues_where_it_stopped(pool):
    X = np.random.default_rng(0).uniform(-2, 2, size=(205, 4))  # a short last batch
    y = np.sin(6 * X[:, :2])
    batches = Batches(X, y, None, 20, np.float64)

    def start():
        network = make_network(pool=pool, H=16)
        fit_to_data(network, X, rng=0)
        parts = network, SquaredError(), Adam(), Constant(0.02)
        return Training(*parts, np.random.RandomState(0), l2=1e-3, max_grad_norm=50.0)

    whole, other = start(), start()
    epochs = whole.epochs(batches)
    losses = [next(epochs).loss for _ in range(30)]
    assert np.mean(losses[-5:]) < 0.6 * losses[0]
    epochs = other.epochs(batches)
    for _ in range(10):
        next(epochs)
    resumed = start()
    resumed.set_state(other.state())
    epochs = resumed.epochs(batches)
    for _ in range(20):
        record = next(epochs)
    if pool:  # another pool, which training may notice no more than another seed
        assert record.loss < 0.6 * losses[0]
    else:
        assert_array_equal(resumed.network.params, whole.network.params)


@pytest.mark.parametrize("features", [4, 5])
def test_repr_and_options_show_the_arguments(features):
    network = make_network(features=features)
    assert repr(network.layers[0]) == "NumericEmbedding(n_columns=2, n_frequencies=5)"
    assert repr(network.layers[2]).endswith("fan_out=6, parametrization='ntk')")
    assert network.layers[0].clone(n_columns=3) == NumericEmbedding(3, 5, 3)
    assert Dense(3, 2).get_params()["parametrization"] == "standard"


def test_a_step_allocates_nothing_large():
    n, d = 4096, 10
    layers = [NumericEmbedding(6), Scale(28), Dense(28, 64, parametrization="ntk"), "silu"]
    layers += [Dropout(0.1, pool=True), Dense(64, 64), "silu", Dropout(0.1), Dense(64, 3)]
    network = Network(layers, n_features=d, dtype=np.float32, rng=0)
    work, loss, optimizer = Workspace(network, n), SquaredError(), Adam()
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)).astype(np.float32), np.zeros((n, 3), np.float32)

    def step():
        network.sample_masks(work, rng)
        raw = network.forward(X, work)
        loss.value_and_gradient(y, raw, out=work.delta, scratch=work.scratch)
        network.backward(work.delta, work)
        optimizer.step(network.params, network.grads, 0.01)

    for _ in range(20):  # no step of those at which the pool is drawn anew
        step()
    assert (
        peak_bytes(step) < n * 28 * 4 / 2
    )  # of the smallest array; NumPy casts in pieces of 8192 numbers


# ---- first weights that fit the data


def pre_activations(network, X):
    """Return the outputs of the dense layers, from the first on."""
    work, out, found = Workspace(network, len(X)), X, []
    for layer, buffer in zip(network.layers, work.buffers):
        out = layer.forward(out, buffer)
        if isinstance(layer, Dense):
            found.append(out.copy())
    return found


@pytest.mark.parametrize("ntk", [True, False])
def test_units_have_variance_one_and_a_zero_among_the_rows(ntk):
    X = np.random.default_rng(0).normal(3, [0.1, 1, 10, 0.5], size=(300, 4))
    network = make_network(ntk=ntk)
    before = network.copy()
    fit_to_data(network, X, rng=0)
    for z in pre_activations(network, X):
        assert_allclose(z.std(axis=0), 1, rtol=1e-9)
        assert ((z.min(axis=0) < 0) & (z.max(axis=0) > 0)).all()
        assert abs(z.mean()) < 0.5 and z.mean(axis=0).std() > 0.1  # not all at the mean
    for one, other in zip(before.dense, network.dense):
        ratio = other.W / one.W
        assert_allclose(ratio, ratio[:1].repeat(len(ratio), axis=0))
    for layer, name in ((0, "P"), (0, "V"), (1, "s")):
        assert_array_equal(
            getattr(network.layers[layer], name), getattr(before.layers[layer], name)
        )


@pytest.mark.parametrize("bias", [True, False])
def test_fit_to_data_is_the_formula(bias):
    X = np.random.default_rng(0).normal(2, 3, size=(30, 4))
    X[:, 3] = 7  # a column that says nothing
    network = Network([Dense(4, 6, bias=bias), "tanh", Dense(6, 2, bias=bias)], rng=0)
    W = [layer.W.copy() for layer in network.dense]
    W[0][:, 5] = network.dense[0].W[:, 5] = [0, 0, 0, 1]  # a unit that says nothing
    fit_to_data(network, X, rng=4)
    rng, a = np.random.default_rng(4), X
    for each, layer in zip(W, network.dense):
        h = each.shape[1]
        if bias:
            shares, rows = rng.standard_exponential((5, h)), rng.integers(30, size=(5, h))
        else:
            shares, rows = np.zeros((5, h)) + 1, np.zeros((5, h), int)
        b = np.zeros(h)
        for j in range(h):
            factor, b[j] = reference.fit_unit((a @ each)[:, j], rows[:, j], shares[:, j])
            each[:, j] *= factor
        assert_allclose(layer.W, each, rtol=1e-10)
        if bias:
            assert_allclose(layer.b, b, rtol=1e-10)
        a = np.tanh(a @ each + (b if bias else 0))


def test_fit_to_data_takes_sparse_rows_and_the_same_seed():
    X = sp.random(50, 4, density=0.4, format="csr", random_state=0)
    one, other = (Network([Dense(4, 3), "relu", Dense(3, 2)], rng=0) for _ in range(2))
    fit_to_data(one, X, rng=0)
    fit_to_data(other, X.toarray(), rng=np.random.default_rng(0))
    assert_allclose(one.params, other.params, rtol=1e-10)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X: X[:1], ValueError, "X must have at least 2 rows"),
        (lambda X: X[:, :3], ValueError, r"X has shape \(9, 3\)"),
        (lambda X: X.astype(np.float32), TypeError, "dtype float32"),
        (
            lambda X: np.where(X == X[3, 1], np.nan, X),
            ValueError,
            "non-finite values in NumericEmbedding",
        ),
    ],
)
def test_invalid_rows_leave_the_network_unchanged(change, error, message):
    network, X = make_network(), make_rows()[0]
    before = network.params.copy()
    with pytest.raises(error, match=message):
        fit_to_data(network, change(X), rng=0)
    assert_array_equal(network.params, before)


def test_a_failure_in_a_later_layer_leaves_the_network_as_it_was():
    network = Network([Dense(4, 3), (np.tanh, np.tanh), Dense(3, 2)], rng=0)
    network.layers[1].activation.function = lambda z: np.full_like(z, np.inf)
    before = network.params.copy()
    with pytest.raises(ValueError, match="non-finite values in Activate"):
        fit_to_data(network, make_rows()[0], rng=0)
    assert_array_equal(network.params, before)


# ---- masks from a pool


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9, 0.999])
def test_masks_of_a_pool_have_the_distribution_of_dropout(rate, dtype):
    network = Network([Dense(100, 100), Dropout(rate, pool=True)], dtype=dtype)
    work, rng = Workspace(network, 100), np.random.default_rng(0)
    rate = min(round(256 * rate), 255) / 256  # what bytes can say
    first, rows, columns = [], np.zeros(100), np.zeros(100)
    n = 400
    for _ in range(n):
        network.sample_masks(work, rng)
        mask = work.buffers[1].mask
        assert mask.dtype == dtype and mask.shape == (100, 100)
        assert_allclose(np.unique(mask), [1.0] if rate == 0 else [0, 1 / (1 - rate)], rtol=1e-6)
        assert abs((mask == 0).mean() - rate) < 0.02  # of 10,000: 4 standard deviations
        first.append(mask[0, 0] == 0)
        rows += (mask == 0).mean(axis=1) / n
        columns += (mask == 0).mean(axis=0) / n
    # every entry alike; 16 masks share bits, so count as few as two of them
    wide = 5 * math.sqrt(max(rate * (1 - rate), 1e-12))
    assert abs(np.mean(first) - rate) < wide / math.sqrt(n / 8) + 1e-9
    for each in (rows, columns):
        assert (abs(each - rate) < wide / math.sqrt(100 * n / 8) + 1e-9).all()


def test_entries_of_a_mask_are_independent_of_each_other():
    network = Network([Dense(200, 200), Dropout(0.5, pool=True)])
    work = Workspace(network, 200)
    network.sample_masks(work, np.random.default_rng(0))
    dropped = (work.buffers[1].mask == 0) - 0.5
    for beside in ((0, 1), (1, 0), (1, 1), (0, 7)):
        moved = np.roll(dropped, beside, axis=(0, 1))
        assert abs((dropped * moved).mean() / 0.25) < 4 / 200


def test_the_pool_is_drawn_anew_every_sixteen_steps():
    network = Network([Dense(8, 8), Dropout(0.5, pool=True)])
    work, rng = Workspace(network, 20), np.random.default_rng(0)
    (pool,), kept = work.buffers[1].pools, []
    for _ in range(33):
        network.sample_masks(work, rng)
        kept.append(pool.entries.copy())
        assert np.shares_memory(work.buffers[1].mask, pool.entries)
    renewed = [not np.array_equal(before, after) for before, after in pairwise(kept)]
    assert renewed == ([False] * 15 + [True]) * 2
    assert DropoutPool.LIFE == 16


def test_the_short_last_batch_cuts_its_mask_out_of_the_same_pool():
    network, X = Network([Dense(4, 4, bias=False), Dropout(0.5, pool=True)]), make_rows()[0]
    network.dense[0].W[...] = np.eye(4)
    whole = Workspace(network, N, input_gradient=True)
    part = whole.head(3)
    assert_array_equal(network.forward(X[:3], part), X[:3])  # no mask is drawn yet
    network.sample_masks(part, np.random.default_rng(0))
    mask = part.buffers[1].mask.copy()
    assert mask.shape == (3, 4) and (mask == 0).any()
    assert part.buffers[1].pools is whole.buffers[1].pools
    assert_allclose(network.forward(X[:3], part), X[:3] * mask)
    assert_allclose(network.backward(np.ones((3, 4)), part), mask)
    assert_array_equal(network.predict(X), X)
    network.sample_masks(whole, np.random.default_rng(0))
    assert whole.buffers[1].mask.shape == (N, 4)


def test_masks_without_a_pool_are_what_they_were():
    rng, expected = np.random.default_rng(3), np.random.default_rng(3).random((N, 4)) >= 0.25
    network = Network([Dense(4, 4), Dropout(0.25)])
    work = Workspace(network, N)
    network.sample_masks(work, rng)
    assert_array_equal(work.buffers[1].mask, expected / 0.75)


# ---- members: each is the network that it would be alone

SEEDS = [3, 1, 4]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ntk", [True, False])
@pytest.mark.parametrize("own_rows", [True, False])
@pytest.mark.parametrize("pool", [True, False])
def test_members_are_the_networks_that_they_would_be_alone(ntk, own_rows, pool, dtype):
    options = {"ntk": ntk, "pool": pool, "dtype": dtype, "H": 8}
    members = make_network(**options, n_members=3, rng=SEEDS)
    alone = [make_network(**options, rng=seed) for seed in SEEDS]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3, N, 4) if own_rows else (N, 4)).astype(dtype)
    delta = rng.normal(size=(3, N, 2)).astype(dtype)
    rows = list(X) if own_rows else [X] * 3
    for each, own, seed in zip(alone, rows, SEEDS):
        fit_to_data(each, own, seed)
        each.layers[1].s[...] = np.linspace(0.5, 2, 10)
    fit_to_data(members, X, SEEDS)
    members.layers[1].s[...] = np.linspace(0.5, 2, 10)
    close = {"rtol": 1e-9, "atol": 1e-11} if dtype is np.float64 else {"rtol": 1e-3, "atol": 1e-4}
    for params, each in zip(members.params, alone):
        assert_array_equal(params, each.params)
    rngs, others = ([np.random.default_rng(seed) for seed in SEEDS] for _ in range(2))
    for n in (N, 4):  # and the short last batch
        work = Workspace(members, N).head(n)
        works = [Workspace(each, N).head(n) for each in alone]
        for _ in range(18):  # the pool is drawn anew
            members.sample_masks(work, rngs)
            for each, its_work, its_rng in zip(alone, works, others):
                each.sample_masks(its_work, its_rng)
        raw = members.forward(X[..., :n, :], work)
        members.backward(delta[:, :n].copy(), work)
        for i, (each, its_work) in enumerate(zip(alone, works)):
            mask = its_work.buffers[4].mask
            assert_array_equal(work.buffers[4].mask[i], mask)
            assert (mask == 0).any()
            assert_allclose(raw[i], each.forward(rows[i][:n], its_work), **close)
            each.backward(delta[i, :n].copy(), its_work)
            assert_allclose(members.grads[i], each.grads, **close)
    taken = members.members(1)
    assert repr(taken) == repr(alone[1])
    assert_array_equal(taken.predict(X[1] if own_rows else X), alone[1].predict(rows[1]))
    twin = pickle.loads(pickle.dumps(members.members([2, 0])))
    assert_allclose(twin.predict(rows[0])[1], alone[0].predict(rows[0]), **close)


def test_members_with_rates_of_their_own_cut_from_pools_of_their_own():
    layers = [Dense(30, 40), MemberDropout([0.0, 0.25, 0.75], pool=True), Dense(40, 1)]
    network = Network(layers, n_members=3, rng=0)
    work, shares = Workspace(network, 50), []
    for _ in range(100):
        network.sample_masks(work, np.random.default_rng(len(shares)))
        mask = work.buffers[1].mask
        shares.append((mask == 0).mean(axis=(1, 2)))
        assert_allclose(mask.mean(axis=(1, 2)), 1, atol=0.2)
    assert_allclose(np.mean(shares, axis=0), [0, 0.25, 0.75], atol=0.02)
    assert network.members(1).layers[1] == Dropout(0.25, pool=True)
    with pytest.raises(ValueError, match="pool must be a bool; got 'yes'"):
        MemberDropout(0.5, pool="yes").check()


def test_slopes_by_the_inputs_of_members():
    network, (X, _) = make_network(n_members=2, rng=[0, 1]), make_rows()
    work = Workspace(network, N, input_gradient=True)
    network.forward(X, work)
    slopes = network.backward(np.ones((2, N, 2)), work)
    for i in range(2):
        expected = network.members(i).input_gradients(X)[1].sum(axis=1)
        assert_allclose(slopes[i], expected, rtol=1e-10, atol=1e-12)


def test_a_failure_leaves_all_members_as_they_were():
    network, X = make_network(n_members=2), np.array([make_rows()[0]] * 2)
    X[1, 3, 1] = np.nan
    before = network.params.copy()
    with pytest.raises(ValueError, match="non-finite values in NumericEmbedding"):
        fit_to_data(network, X, rng=0)
    assert_array_equal(network.params, before)


def test_networks_with_pools_lie_side_by_side():
    networks = [make_network(pool=True, rng=seed) for seed in SEEDS]
    both, works = side_by_side(networks), [Workspace(each, N) for each in networks]
    assert both.layers[4] == MemberDropout([0.3] * 3, pool=True)
    rngs, work = [np.random.default_rng(seed) for seed in SEEDS], Workspace(both, N)
    both.sample_masks(work, rngs)
    for i, (network, its_work) in enumerate(zip(networks, works)):
        network.sample_masks(its_work, np.random.default_rng(SEEDS[i]))
        assert_array_equal(work.buffers[4].mask[i], its_work.buffers[4].mask)
    with pytest.raises(ValueError, match="dropout must be with a pool in all networks or in none"):
        side_by_side([*networks, make_network(pool=False)])
    with pytest.raises(ValueError, match="of one shape"):
        side_by_side([*networks, make_network(ntk=False, pool=True)])
