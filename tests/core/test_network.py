# SPDX-License-Identifier: BSD-3-Clause
"""The network: agrees with the reference, one vector with views, copies, pickles and prediction in chunks."""

import copy
import itertools
import pickle

import joblib
import numpy as np
import pytest
import reference
import scipy.sparse as sp
from memory import peak_bytes
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import (
    SGD,
    Activate,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    Logistic,
    Network,
    SquaredError,
    Workspace,
    Zeros,
    check_gradients,
)
from sknumpynet.core.network.network import CHUNK_BYTES
from sknumpynet.core.network.rows import RowReader

from .problems import (
    ACTIVATIONS,
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

SPARSE = ["csr_matrix", "csr_array", "csc_matrix", "csc_array"]


def backpropagate(network, loss, X, y, w, work):
    raw = network.forward(X, work)
    value, delta = loss.value_and_gradient(y, raw, w, out=work.delta, scratch=work.scratch)
    return value, network.backward(delta, work)


OLD_LOSSES = ["squared_error", "poisson", "binary_log_loss", "log_loss", "proportions"]
# all of the first ones with each other, and each of the rest with each other once
COMBINATIONS = [
    *itertools.product(ACTIVATIONS, OLD_LOSSES, (False, True), (False, True), ACTIVATIONS),
    *(
        (activation, case, (i + j) % 2 == 0, i % 2 == 0, ACTIVATIONS[(i + j) % 4])
        for i, activation in enumerate(TRAINABLE)
        for j, case in enumerate(LOSSES)
    ),
    *((activation, "log_cosh", True, True, activation) for activation in TRAINABLE),
]


@pytest.mark.parametrize("activation, case, weighted, bias, last", COMBINATIONS)
def test_gradients_agree_with_the_reference(activation, case, weighted, bias, last):
    network = make_network(activation, last, bias)
    X, y, w = make_data(case, weighted=weighted)
    work = Workspace(network, 9, input_gradient=True)
    for rows, space in [(slice(0, 9), work), (slice(9, 13), work.head(4)), (slice(2, 11), work)]:
        w_part = None if w is None else w[rows]
        value, dX = backpropagate(network, make_loss(case), X[rows], y[rows], w_part, space)
        expected, dW, db, dX_expected = reference.backpropagate(
            X[rows], y[rows], w_part, *lists(network), name_of_loss(case)
        )
        assert_allclose(value, expected, rtol=1e-12)
        # cosh, powers and exp(3 z) of the reference have their own rounding errors
        precise = case in OLD_LOSSES and activation in ACTIVATIONS
        precision = {"rtol": 1e-12 if precise else 1e-10, "atol": 1e-13 if precise else 1e-12}
        assert_allclose(network.grads, flat(dW, db), **precision)
        assert_allclose(dX, dX_expected, **precision)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(0.5, nesterov=False), Adam()], ids=repr)
@pytest.mark.parametrize("case", LOSSES)
def test_steps_in_five_lines_agree_with_the_reference(case, optimizer):
    network, loss = make_network(), make_loss(case)
    optimizer = type(optimizer)(**optimizer.get_params())
    X, y, _ = make_data(case)
    work = Workspace(network, len(X))
    weights, biases, names = lists(network)
    params, state = [*weights, *biases], [[np.zeros_like(p) for p in weights + biases]] * 2
    for t in range(1, 7):
        raw = network.forward(X, work)
        _, delta = loss.value_and_gradient(y, raw)
        network.backward(delta, work)
        optimizer.step(network.params, network.grads, 0.01)

        n = len(weights)
        _, dW, db, _ = reference.backpropagate(
            X, y, None, params[:n], params[n:], names, name_of_loss(case)
        )
        if isinstance(optimizer, Adam):
            params, *state = reference.adam_step(
                params, dW + db, *state, t, 0.01, **optimizer.get_params()
            )
        else:
            params, state[0] = reference.sgd_step(
                params, dW + db, state[0], 0.01, **optimizer.get_params()
            )
        assert_allclose(network.params, flat(params, []), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", SPARSE)
@pytest.mark.parametrize("case", LOSSES)
def test_sparse_input_gives_what_dense_gives(case, kind):
    X, y, w = make_data(case, n=20, weighted=True)
    X[np.abs(X) < 1] = 0
    X[:, 2] = 0
    rows = np.array([3, 0, 17, 5, 3, 11])
    results = []
    for source in (X, getattr(sp, kind)(X)):
        network = make_network("relu")
        work = Workspace(network, len(rows))
        batch = RowReader(source, len(rows), np.float64)(rows)
        value, _ = backpropagate(network, make_loss(case), batch, y[rows], w[rows], work)
        results.append(
            [value, network.grads, network.predict(source), network.predict(source, rows)]
        )
    for got, expected in zip(*results):
        assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_a_layer_without_bias_among_others():
    layers = [
        Dense(5, 4, bias=False),
        "tanh",
        Dense(4, 4),
        "logistic",
        Dense(4, 2, bias=False),
        "identity",
    ]
    network = Network(layers, rng=0)
    X, y, _ = make_data("squared_error", sizes=(5, 2))
    backpropagate(network, make_loss("squared_error"), X, y, None, Workspace(network, len(X)))
    _, dW, db, _ = reference.backpropagate(X, y, None, *lists(network), "squared_error")
    assert_allclose(network.grads, flat(dW, db), rtol=1e-12, atol=1e-13)


def test_an_activation_may_follow_another():
    network = Network([Dense(3, 2), "tanh", Logistic()], rng=0)
    X = np.random.default_rng(0).normal(size=(4, 3))
    expected = 1 / (1 + np.exp(-np.tanh(X @ network.layers[0].W + network.layers[0].b)))
    assert_allclose(network.predict(X), expected, rtol=1e-13)


@pytest.mark.parametrize("second", ["logistic", "relu", "elu", "softsign", "gelu"])
@pytest.mark.parametrize("first", ["tanh", "gelu"])
def test_backward_through_two_activations(first, second):
    network = Network([Dense(3, 4), first, second, Dense(4, 2)], rng=0)
    X, y, _ = make_data("squared_error", 6, (3, 2))
    assert check_gradients(network, SquaredError(), X, y).max_error < 1e-6


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "first", [["relu"], [Dropout(0.5), "relu"], ["elu"], [Dropout(0.5), "elu"]]
)
def test_data_are_left_as_they_are(first, training):
    network = Network([*first, Dense(5, 2)], rng=0)
    X = np.random.default_rng(0).normal(size=(50, 5))
    kept = X.copy()
    raw = network.forward(X, Workspace(network, 50)) if training else network.predict(X)
    assert_array_equal(X, kept)
    expected = reference.activate(first[-1], X) @ network.dense[0].W + network.dense[0].b
    assert_allclose(raw, expected, rtol=1e-12, atol=1e-13)


# ---- one vector


def test_all_weights_lie_before_all_biases():
    network = Network([Dense(2, 3), "relu", Dense(3, 2, bias=False), "relu", Dense(2, 1)])
    assert network.n_weights == 6 + 6 + 2
    assert (network.fan_in, network.n_outputs, len(network.params)) == (2, 1, 14 + 3 + 1)
    network.params[...] = np.arange(18)
    first, second, third = network.dense
    assert_array_equal(first.W, [[0, 1, 2], [3, 4, 5]])
    assert_array_equal(second.W, [[6, 7], [8, 9], [10, 11]])
    assert_array_equal(third.W, [[12], [13]])
    assert_array_equal(first.b, [14, 15, 16])
    assert second.b is None
    assert_array_equal(third.b, [17])


def assert_bound(network):
    """The layers' arrays are the network's vectors, in both directions."""
    everything = [*(layer.W for layer in network.dense), *(layer.b for layer in network.dense)]
    assert_array_equal(network.params, np.concatenate([x.ravel() for x in everything]))
    for layer in network.dense:
        layer.W[0, 0], layer.b[0] = 77, 78
    assert ((network.params == 77).sum(), (network.params == 78).sum()) == (3, 3)
    network.params[...] = np.linspace(-1, 1, len(network.params))
    X, y, _ = make_data("squared_error")
    backpropagate(network, make_loss("squared_error"), X, y, None, Workspace(network, len(X)))
    _, dW, db, _ = reference.backpropagate(X, y, None, *lists(network), "squared_error")
    assert_allclose(network.grads, flat(dW, db), rtol=1e-12, atol=1e-13)
    for layer in network.dense:
        assert np.shares_memory(layer.dW, network.grads) and np.shares_memory(
            layer.db, network.grads
        )


def test_views_write_through():
    assert_bound(make_network())


def test_params_cannot_be_replaced():
    network = make_network()
    for name in ("params", "grads", "dtype"):
        with pytest.raises(AttributeError):
            setattr(network, name, np.zeros_like(network.params))


@pytest.mark.parametrize(
    "twin",
    [
        copy.deepcopy,
        Network.copy,
        lambda network: pickle.loads(pickle.dumps(network)),
        lambda network: network.astype(np.float64),
    ],
    ids=["deepcopy", "copy", "pickle", "astype"],
)
def test_a_copy_has_its_own_memory(twin):
    network = make_network()
    network.grads[...] = 3
    kept = network.params.copy()
    other = twin(network)
    assert_array_equal(other.params, kept)
    assert not np.shares_memory(other.params, network.params)
    assert_bound(other)
    assert_array_equal(network.params, kept)
    assert (network.grads == 3).all()
    assert repr(other) == repr(network)


@pytest.mark.parametrize(
    "dtype", [int, "int64", bool, np.float16, np.longdouble, complex, ">f8", object, "U3"]
)
def test_only_single_and_double_precision_are_valid(dtype):
    if (
        np.dtype(dtype) == np.float64
    ):  # long double, where there is none longer; or a big-endian machine
        return
    with pytest.raises(ValueError, match=r"^dtype must be numpy.float32 or numpy.float64; got "):
        Network([Dense(2, 1)], dtype=dtype)
    with pytest.raises(ValueError, match=r"^dtype must be numpy.float32 or numpy.float64; got "):
        Network([Dense(2, 1)]).astype(dtype)
    for good in ("float32", float, np.dtype("f4")):
        assert Network([Dense(2, 1)], dtype=good).dtype == np.dtype(good)


def test_astype_computes_in_the_other_dtype():
    network = make_network()
    single = network.astype(np.float32)
    X, _, _ = make_data("squared_error")
    raw = single.forward(X.astype(np.float32), Workspace(single, len(X)))
    assert single.dtype == raw.dtype == single.grads.dtype == np.float32
    assert_allclose(raw, network.predict(X), atol=1e-5)
    assert network.dtype == np.float64 and network.layers[0].W.dtype == np.float64


@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
def test_joblib(tmp_path, mmap_mode):
    network = make_network()
    joblib.dump(network, tmp_path / "network")
    loaded = joblib.load(tmp_path / "network", mmap_mode=mmap_mode)
    X, _, _ = make_data("squared_error")
    assert_array_equal(loaded.predict(X), network.predict(X))
    assert loaded.params.flags.writeable == (mmap_mode != "r")
    loaded.make_writable()
    assert_bound(loaded)
    assert_array_equal(joblib.load(tmp_path / "network").params, network.params)


def test_a_pickle_holds_each_parameter_once():
    network = Network([Dense(100, 100), "relu", Dense(100, 100)])
    network.grads  # noqa: B018  (allocates)
    assert len(pickle.dumps(network)) < network.params.nbytes + 2000


def test_gradients_are_allocated_when_needed():
    network = make_network()
    network.predict(np.zeros((2, 5)))
    assert network._grads is None and not hasattr(network.layers[0], "dW")
    assert network.grads is network.grads
    assert_array_equal(network.grads, np.zeros_like(network.params))


def test_layers_are_copied():
    layers = [Dense(5, 4), Activate("tanh"), Dense(4, 3)]
    networks = [Network(layers, rng=seed) for seed in (0, 1)]
    assert not hasattr(layers[0], "W")
    for one, other in itertools.product(networks[0].layers, [*networks[1].layers, *layers]):
        assert one is not other
    assert not np.shares_memory(networks[0].layers[0].W, networks[1].layers[0].W)
    kept = networks[1].params.copy()
    networks[0].params[...] = 0
    assert_array_equal(networks[1].params, kept)
    # a layer that is bound already leaves its views behind
    third = Network([networks[0].layers[0]], rng=2)
    third.params[...] = 5
    assert (networks[0].params == 0).all()


# ---- errors


@pytest.mark.parametrize(
    "X, dtype, name",
    [
        (np.zeros((2, 5), np.float32), np.float64, "float32"),
        (np.zeros((2, 5), int), np.float64, "int64"),
        (np.zeros((2, 5)), np.float32, "float64"),
        (sp.csr_matrix((2, 5), dtype=np.float32), np.float64, "float32"),
    ],
)
def test_forward_requires_the_dtype_of_the_network(X, dtype, name):
    network = make_network(dtype=dtype)
    own = np.dtype(dtype).name
    with pytest.raises(
        TypeError, match=rf"X has dtype {name}.*computes in {own}: pass X.astype\('{own}'\)"
    ):
        network.forward(X, Workspace(network, 2))


@pytest.mark.parametrize(
    "X, kind, message",
    [
        ([[0.0] * 5] * 2, TypeError, r"X is of type list.*\(2, 5\): pass np.asarray\(X\)"),
        (np.zeros(5), ValueError, r"X has shape \(5,\), but the network needs.*\(2, 5\)"),
        (np.zeros((2, 4)), ValueError, r"X has shape \(2, 4\), but the network needs.*\(2, 5\)"),
        (
            np.zeros((3, 5)),
            ValueError,
            r"X has 3 rows.* is for 2: create a Workspace\(network, 3\)",
        ),
        (np.zeros((1, 5)), ValueError, r"X has 1 row,.* is for 2.*work.head\(1\)"),
    ],
    ids=["list", "one row", "width", "more rows", "fewer rows"],
)
def test_forward_says_what_it_takes(X, kind, message):
    network = make_network()
    with pytest.raises(kind, match=message):
        network.forward(X, Workspace(network, 2))


def test_backward_says_what_it_takes():
    network = make_network()
    work = Workspace(network, 2)
    with pytest.raises(ValueError, match="call forward first"):
        network.backward(np.zeros((2, 2)), work)
    raw = network.forward(np.zeros((2, 5)), work)
    with pytest.raises(ValueError, match=rf"delta has shape \(9, 1\).*\(2, {raw.shape[1]}\) here"):
        network.backward(np.zeros((9, 1)), work)
    work = Workspace(network, 2, training=False)
    raw = network.forward(np.zeros((2, 5)), work)
    with pytest.raises(ValueError, match="for prediction; create one with training=True"):
        network.backward(raw, work)


def test_what_an_activation_raises_is_passed_on():
    def fails(z):
        raise ValueError("not today")

    network = Network([Dense(5, 3), (fails, fails), Dense(3, 1)])
    with pytest.raises(ValueError, match="not today"):
        network.predict(np.zeros((2, 5)))


@pytest.mark.parametrize("layer", [Dense(0, 3), Dense(3, 0), Dense(2.5, 3)])
def test_a_dense_layer_has_inputs_and_units(layer):
    with pytest.raises(ValueError, match=r"Dense\(.*must be an integer in \[1, inf\); got"):
        Network([layer])


@pytest.mark.parametrize(
    "layers, message",
    [
        ([], "must hold a Dense layer, which determines the number of inputs"),
        (["relu", Dropout()], "must hold a Dense layer"),
        (
            [Dense(2, 3), BatchNorm(4)],
            r"BatchNorm\(units=4\) follows a layer of 3 units; set units=3",
        ),
        ([Dense(2, 3), LayerNorm(2)], r"LayerNorm\(units=2\) follows a layer of 3 units"),
        (
            [Dense(2, 3), "relu", Dense(4, 1)],
            r"fan_in=4.* follows a layer of 3 units; set fan_in=3",
        ),
        ([Dense(2, 3), "swoosh"], "activation must be one of 'identity'"),
        ([Dense(2, 3), 5], "activation must be one of 'identity'"),
        ([Dense(2, 3), (np.sin,)], "activation must be one of 'identity'"),
    ],
)
def test_layers_that_make_no_network(layers, message):
    with pytest.raises(ValueError, match=message):
        Network(layers)


def test_wrong_number_of_columns_or_rows():
    network = make_network()
    with pytest.raises(ValueError):
        network.predict(np.zeros((2, 4)))
    with pytest.raises(ValueError):
        network.forward(np.zeros((3, 5)), Workspace(network, 2))


# ---- prediction


@pytest.mark.parametrize("chunk", [1, 7, 40, 1000])
@pytest.mark.parametrize(
    "rows", [None, np.array([39, 0, 0, 5] * 4), np.arange(40)[::-1], np.arange(0)]
)
def test_predict_in_chunks_is_forward_in_one_go(monkeypatch, chunk, rows):
    network, (X, _, _) = make_network(), make_data("squared_error", n=40)
    expected = network.forward(X, Workspace(network, 40)).copy()
    monkeypatch.setattr(Network, "chunk_rows", lambda self, *_, **__: chunk)
    raw = network.predict(X, rows)
    assert_allclose(raw, expected if rows is None else expected[rows], rtol=1e-13, atol=1e-14)
    assert raw.flags.owndata


@pytest.mark.parametrize("n", [3, 40])
def test_a_link_may_write_into_an_array_of_another_kind(monkeypatch, n):
    monkeypatch.setattr(Network, "chunk_rows", lambda self, *_, **__: 7)
    network, X = make_network(), np.random.default_rng(0).normal(size=(n, 5))

    def largest(raw, out):
        out[...] = raw.argmax(axis=1)

    given = np.full(n, -1)
    assert network.predict(X, link=largest, out=given) is given
    assert_array_equal(given, network.predict(X).argmax(axis=1))


@pytest.mark.parametrize("n", [9, 32, 33, 100])
def test_predict_writes_into_the_array_that_is_given(n):
    network, X = make_network(), np.random.default_rng(0).normal(size=(n, 5))
    given = np.full((n, 3), np.nan)
    assert network.predict(X, out=given) is given
    assert_array_equal(given, network.predict(X))


INDICES = {
    "mask": np.arange(40) % 3 == 0,
    "negative": np.array([-1, 0, 5]),
    "list": [3, 39, 3],
    "range": range(2, 9),
    "slice": slice(30, None, -2),
    "unsigned": np.array([3, 39], np.uint32),
    "none": np.array([], int),
}


@pytest.mark.parametrize("rows", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize(
    "kind", [np.array, np.asfortranarray, np.float32, sp.csr_matrix, sp.csc_matrix]
)
def test_predict_takes_any_rows_that_numpy_takes(monkeypatch, kind, rows):
    monkeypatch.setattr(Network, "chunk_rows", lambda self, *_, **__: 7)
    network, X = make_network(), np.random.default_rng(0).integers(-2, 3, (40, 5)).astype(float)
    expected = network.predict(X)[np.array(rows) if isinstance(rows, range) else rows]
    assert_allclose(network.predict(kind(X), rows), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("kind", [np.array, np.asfortranarray, sp.csr_matrix])
@pytest.mark.parametrize("rows", [[0, 40], [-41], [0.0, 1.0], np.ones(39, bool)])
def test_rows_that_are_not_there_raise(kind, rows):
    X = kind(np.ones((40, 5)))
    with pytest.raises(IndexError):
        make_network().predict(X, np.array(rows))


def test_predict_without_rows():
    assert make_network().predict(np.zeros((0, 5))).shape == (0, 3)


@pytest.mark.parametrize(
    "kind", [np.asfortranarray, np.float32, *(getattr(sp, kind) for kind in SPARSE)]
)
def test_predict_takes_any_kind_of_table(monkeypatch, kind):
    monkeypatch.setattr(Network, "chunk_rows", lambda self, *_, **__: 7)
    network = make_network()
    X = np.random.default_rng(0).integers(-2, 3, size=(40, 5)).astype(float)
    rows = np.array([3, 39, 3, 0, 1, 2, 4, 5, 6, 20])
    assert_allclose(network.predict(kind(X)), network.predict(X), rtol=1e-13, atol=1e-14)
    assert_allclose(
        network.predict(kind(X), rows), network.predict(X, rows), rtol=1e-13, atol=1e-14
    )


def test_chunks_are_bounded_in_memory_and_from_below():
    narrow, wide = Network([Dense(4, 64)]), Network([Dense(1 << 20, 1)])
    assert narrow.chunk_rows() * 64 * 8 == CHUNK_BYTES
    assert wide.chunk_rows() == 32
    assert Network([Dense(4, 64)], dtype=np.float32).chunk_rows() == 2 * narrow.chunk_rows()


@pytest.mark.parametrize("kind", SPARSE)
@pytest.mark.parametrize("n", [50, 3000])
def test_the_width_of_sparse_rows_does_not_cut_them_into_small_chunks(monkeypatch, kind, n):
    rng = np.random.default_rng(0)
    X = sp.random(n, 2000, 0.002, format="csr", random_state=0)
    network = Network([Dense(2000, 10), "tanh", Dense(10, 2)], rng=rng)
    expected = network.predict(X.toarray())
    passes = []
    forward = Network.forward
    monkeypatch.setattr(
        Network, "forward", lambda self, *args: passes.append(self) or forward(self, *args)
    )
    assert_allclose(network.predict(getattr(sp, kind)(X)), expected, rtol=1e-13, atol=1e-14)
    assert len(passes) == 1  # 3000 rows of ten outputs are 240 KB


@pytest.mark.parametrize("kind", SPARSE)
def test_chunks_of_sparse_rows_that_are_views_leave_them_as_they_are(monkeypatch, kind):
    monkeypatch.setattr(Network, "chunk_rows", lambda self, *_, **__: 7)
    network = make_network()
    X = getattr(sp, kind)(np.random.default_rng(0).integers(0, 2, size=(40, 5)).astype(float))
    before = X.toarray()
    assert_allclose(network.predict(X), network.predict(before), rtol=1e-13, atol=1e-14)
    assert_array_equal(X.toarray(), before)


@pytest.mark.parametrize("order", "CF")
def test_weights_too_many_for_the_cache_are_read_seldom(monkeypatch, order):
    network = Network([Dense(20, 600), "relu", Dense(600, 600), "relu", Dense(600, 1)], rng=0)
    X = np.random.default_rng(0).normal(size=(400, 20))
    expected = network.forward(X, Workspace(network, 400)).copy()
    passes = []
    forward = Network.forward
    monkeypatch.setattr(
        Network, "forward", lambda self, *args: passes.append(self) or forward(self, *args)
    )
    raw = network.predict(np.asarray(X, order=order))
    assert_allclose(raw, expected, rtol=1e-12, atol=1e-13)
    assert len(passes) == 1


def test_rows_of_an_array_in_fortran_order_are_not_copied():
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(40_000, 100)))  # 32 MB
    network = Network([Dense(100, 20), "relu", Dense(20, 1)], rng=0)
    assert peak_bytes(lambda: network.predict(X)) < 2e6
    raw = network.predict(X)
    assert_allclose(raw[-9:], network.predict(np.ascontiguousarray(X[-9:])), rtol=1e-12)


@pytest.mark.parametrize("n", [20, 700])
@pytest.mark.parametrize("shape", [(30, 4), (400, 2)])
def test_each_row_in_columns_order_is_checked(n, shape):
    network = Network([Dense(*shape)], rng=0)
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(n, shape[0])))
    seen = []
    network.predict(X, check=lambda part: seen.append(part.size))
    assert sum(seen) == X.size


def test_workspaces_of_a_network_do_not_disturb_each_other():
    network, loss = make_network(), make_loss("squared_error")
    X, y, _ = make_data("squared_error")
    one, other = Workspace(network, len(X)), Workspace(network, len(X))
    raw = network.forward(X, one)
    kept = raw.copy()
    network.forward(-X, other)
    assert_array_equal(raw, kept)
    _, delta = loss.value_and_gradient(y, raw)
    network.backward(delta, one)
    _, dW, db, _ = reference.backpropagate(X, y, None, *lists(network), "squared_error")
    assert_allclose(network.grads, flat(dW, db), rtol=1e-12, atol=1e-13)


def test_a_workspace_for_prediction_has_nothing_for_training():
    network = make_network(sizes=SIZES)
    work = Workspace(network, 4, training=False)
    assert not hasattr(work, "delta") and not hasattr(work.head(2), "delta")
    assert all(buffer.delta is buffer.scratch is buffer.ones is None for buffer in work.buffers)


def test_repr_shows_the_layers():
    network = Network([Dense(2, 1, bias=False), "relu"], dtype=np.float32)
    text = "Network([Dense(fan_in=2, fan_out=1, bias=False), Activate(activation=ReLU())], dtype=float32)"
    assert repr(network) == text


# ---- what stands between the dense layers


def rich(**options):
    """A network with everything in it, and a state that has moved."""
    layers = [Dropout(0.2), Dense(5, 7), BatchNorm(7), "gelu", Dropout(0.5), Dense(7, 6)]
    layers += [LayerNorm(6), "elu", Dense(6, 3), "identity"]
    network = Network(layers, **{"rng": 0, **options})
    rng = np.random.default_rng(1)
    network.running_stats[...] = rng.uniform(0.5, 1.5, network.running_stats.shape)
    network.params[network.n_weights :] += rng.normal(size=len(network.params) - network.n_weights)
    return network


def test_gains_and_shifts_lie_behind_the_biases():
    network = Network([Dense(2, 3), BatchNorm(3), "relu", Dense(3, 2, bias=False), LayerNorm(2)])
    assert (network.n_weights, len(network.params), len(network.running_stats)) == (
        12,
        12 + 3 + 6 + 4,
        6,
    )
    assert_array_equal(network.params[15:], [1, 1, 1, 0, 0, 0, 1, 1, 0, 0])
    assert_array_equal(network.running_stats, [0, 0, 0, 1, 1, 1])
    network.params[...] = np.arange(25)
    network.running_stats[...] = np.arange(100, 106)
    first, second = network.layers[1], network.layers[4]
    assert_array_equal([*first.gain, *first.shift], np.arange(15, 21))
    assert_array_equal([*second.gain, *second.shift], np.arange(21, 25))
    assert_array_equal([*first.mean, *first.variance], np.arange(100, 106))
    network.grads[...] = np.arange(25)
    assert_array_equal([*first.dgain, *second.dshift], [15, 16, 17, 23, 24])
    network.initialize(Zeros())
    assert_array_equal(network.params, [0] * 15 + [1, 1, 1, 0, 0, 0, 1, 1, 0, 0])


@pytest.mark.parametrize(
    "twin",
    [
        copy.deepcopy,
        Network.copy,
        lambda network: pickle.loads(pickle.dumps(network)),
        lambda network: network.astype(np.float32).astype(np.float64),
    ],
    ids=["deepcopy", "copy", "pickle", "astype"],
)
def test_the_state_travels(twin):
    network = rich()
    other, X = twin(network), make_data("squared_error", 40)[0]
    assert_allclose(other.running_stats, network.running_stats, rtol=1e-6)
    assert_allclose(other.predict(X), network.predict(X), rtol=1e-4, atol=1e-5)
    kept = network.predict(X)
    other.running_stats[...], other.params[...] = 3, 0.1
    assert_array_equal(network.predict(X), kept)
    assert (other.layers[2].mean == 3).all() and (other.layers[2].gain == 0.1).all()


@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
def test_joblib_with_a_state(tmp_path, mmap_mode):
    network, X = rich(), make_data("squared_error", 40)[0]
    joblib.dump(network, tmp_path / "network")
    loaded = joblib.load(tmp_path / "network", mmap_mode=mmap_mode)
    assert_array_equal(loaded.predict(X), network.predict(X))
    loaded.make_writable()
    loaded.running_stats[...] = 5
    assert (loaded.layers[2].variance == 5).all()
    assert_array_equal(joblib.load(tmp_path / "network").running_stats, network.running_stats)


def test_snapshots():
    network = rich()
    snapshot = network.snapshot()
    kept = network.params.copy(), network.running_stats.copy()
    network.params[...], network.running_stats[...] = 1, 2
    network.restore(snapshot)
    assert_array_equal(network.params, kept[0])
    assert_array_equal(network.running_stats, kept[1])
    assert (
        network.layers[2].mean is not snapshot[1] and (network.layers[2].mean == kept[1][:7]).all()
    )
    network.params[...], network.running_stats[...] = 1, 2
    again = network.snapshot(into=snapshot)
    assert again is snapshot and (snapshot[0] == 1).all() and (snapshot[1] == 2).all()
    network.params[...] = 7
    assert (snapshot[0] == 1).all()


def test_which_networks_are_random():
    assert rich().is_random and pickle.loads(pickle.dumps(rich())).is_random
    assert not make_network().is_random
    assert not make_network(normalization="batch").is_random


@pytest.mark.parametrize("rows", [5, 40])
def test_the_first_layers_are_a_network(rows):
    network, X = rich(), make_data("squared_error", rows)[0]
    hidden, kept = X, network.predict(X)
    sizes = {2: 7, 3: 7, 4: 7, 5: 7, 6: 6, 7: 6, 8: 6, 9: 3, 10: 3}
    for n, size in sizes.items():
        part = network.first(n)
        assert part.n_outputs == size and part.predict(X).shape == (rows, size)
        assert part.params is network.params or np.shares_memory(part.params, network.params)
    hidden = X @ network.dense[0].W + network.dense[0].b
    assert_allclose(network.first(2).predict(X), hidden, rtol=1e-12, atol=1e-13)
    assert_array_equal(network.first(10).predict(X), kept)
    assert_array_equal(network.predict(X), kept)
    assert len(network.layers) == 10


@pytest.mark.parametrize("activation", TRAINABLE)
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_input_gradients_are_the_slopes_of_the_prediction(activation, normalization):
    network = make_network(activation, normalization=normalization, dropout=0.3)
    if normalization == "batch":
        network.running_stats[...] = np.random.default_rng(0).uniform(
            0.5, 2, network.running_stats.shape
        )
    X, h = make_data("squared_error", 6)[0], 1e-6
    kept = X.copy(), network.params.copy(), network.running_stats.copy(), network.grads.copy()
    raw, slopes = network.input_gradients(X)
    assert_allclose(raw, network.predict(X), rtol=1e-13, atol=1e-14)
    assert slopes.shape == (6, 3, 5)
    for column in range(5):
        left, right = X.copy(), X.copy()
        left[:, column] -= h
        right[:, column] += h
        expected = (network.predict(right) - network.predict(left)) / (2 * h)
        assert_allclose(slopes[:, :, column], expected, rtol=1e-5, atol=1e-7)
    for array, before in zip((X, network.params, network.running_stats, network.grads), kept):
        assert_array_equal(array, before)


def test_input_gradients_of_one_row_and_in_float32():
    network, X = make_network(normalization="layer"), make_data("squared_error", 6)[0]
    _, slopes = network.input_gradients(X)
    assert_allclose(network.input_gradients(X[:1])[1], slopes[:1], rtol=1e-12)
    single = network.astype(np.float32).input_gradients(X.astype(np.float32))[1]
    assert single.dtype == np.float32
    assert_allclose(single, slopes, rtol=1e-3, atol=1e-5)
