"""The pack: gradients against central differences, members against a separate network."""

import math
import pickle

import numpy as np
import pytest
from memory import peak_bytes
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core.layers.dropout import DropoutPool
from sknumpynet.core.losses import MultinomialLogLoss, SquaredError
from sknumpynet.tabular import recipe
from sknumpynet.tabular.ensemble import Ensemble
from sknumpynet.tabular.layers import BIAS_RATE, EMBEDDING_RATE, SCALE_RATE, silu
from sknumpynet.tabular.objectives import Objective, temperature_loss
from sknumpynet.tabular.pack import (
    BLOCK,
    FEW,
    MANY,
    Adam,
    Pack,
    Shape,
    Workspace,
    blocks,
    division,
    in_any_order,
    leaves_the_same_bits,
    raw_of,
)
from sknumpynet.tabular.recipe import Recipe, Rows, Run, Snapshot, promising

SHAPES = [
    Shape(3, 5, 2, (5, 4, 4), 4, 2),
    Shape(0, 5, 2, (5, 4), 0),
    Shape(4, 4, 1, (3,), 2, 1),
    Shape(2, 3, 1, (3,), 2, 2, n_own=2),
    Shape(0, 3, 1, (3,), 0, n_own=1),
]
NAMES = ["embedded", "plain", "numbers alone", "own columns", "own columns, plain"]


def started(shape, k=3, n=20, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, shape.n_columns)).astype(dtype)
    pack = Pack(shape, k, dtype)
    own = rng.normal(size=(k, shape.n_own, n)).astype(dtype) if shape.n_own else None
    pack.reset_parameters(X, rng, own)
    return pack, X, rng


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
@pytest.mark.parametrize("dropout", [0, 0.3])
def test_gradients_are_central_differences(shape, dropout):
    pack, X, rng = started(shape)
    Y = rng.normal(size=(20, shape.n_outputs))
    own = rng.normal(size=(3, shape.n_own, 20)) if shape.n_own else None
    seen = rng.random((3, 20, 1))
    work = Workspace(pack, 20, rng=rng)
    work.draw_masks(dropout)

    def loss():
        return float((seen * (pack.forward(X, work, own) - Y) ** 2).sum() / 2)

    raw = pack.forward(X, work, own)
    pack.backward(X, seen * (raw - Y), work)
    found, expected = pack.grads.copy(), np.empty_like(pack.grads)
    for i in range(pack.n_params):
        kept = pack.params[i]
        pack.params[i] = kept + 1e-6
        above = loss()
        pack.params[i] = kept - 1e-6
        expected[i] = (above - loss()) / 2e-6
        pack.params[i] = kept
    assert_allclose(found, expected, atol=1e-6 * abs(expected).max())


def alone(pack, k, x):
    """Return the output of member k on one row, written out."""
    x, shape = np.asarray(x, float), pack.shape
    inputs = []
    if pack.embedding is not None:
        for i in range(shape.n_numeric):
            P, V = pack.embedding.P[k, i], pack.embedding.V[k, i]
            cosines = [math.cos(2 * math.pi * x[i] * w + b) for w, b in P]
            inputs += [sum(v * c for v, c in zip(row, cosines)) for row in V]
    own, x = list(x[shape.n_columns :]), list(x[: shape.n_columns])
    a = np.array(inputs + own + x) * pack.first.s[k, :, 0]
    for layer in (pack.first, *pack.dense):
        z = a @ layer.W[k] + layer.b[k, 0]
        a = z / (1 + np.exp(-z))
    return z


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_each_member_is_the_network_that_it_would_be_alone(shape):
    pack, X, _ = started(shape)
    X = np.hstack([X, np.random.default_rng(1).normal(size=(20, pack.shape.n_own))])
    pack.first.s[...] = np.linspace(0.5, 2, pack.first.s.size).reshape(pack.first.s.shape)
    raw = raw_of(pack, X)
    expected = [[alone(pack, k, x) for x in X] for k in range(3)]
    assert_allclose(raw, expected, rtol=1e-9, atol=1e-12)
    one = pack.members([1])
    assert_allclose(raw_of(one, X)[0], raw[1], rtol=1e-12, atol=1e-12)
    both = Pack.joined([pack, one])
    assert_allclose(raw_of(both, X)[3], raw[1], rtol=1e-12, atol=1e-12)


WIDE = Shape(3, 10, 4, (16, 16), 8, 3)


@pytest.mark.parametrize("shape", [SHAPES[0], WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_depend_on_the_rows_beside_it(dtype, shape):
    pack, X, rng = started(shape, n=3 * BLOCK + 5, dtype=dtype)
    together = raw_of(pack, X)
    # blocks of few rows, of some, and of many
    for rows in ([0], [BLOCK, 1], range(FEW + 1), range(2 * BLOCK, 3 * BLOCK + 5)):
        rows = list(rows)
        assert_array_equal(raw_of(pack, X[rows]), together[:, rows])
    order = rng.permutation(len(X))
    assert_array_equal(raw_of(pack, X[order]), together[:, order])


def test_products_are_so_small_that_the_place_of_a_row_in_them_does_not_matter(monkeypatch):
    # a BLAS that rounds the ninth row of a product and those behind it in another way
    matmul = np.matmul

    def rounded(x, W, out):
        matmul(x, W, out=out)
        if out.ndim > 2 and out.shape[-1] == 16:
            out[..., 8:, :] *= 1 + np.finfo(out.dtype).eps
        return out

    pack, X, rng = started(WIDE, n=70, dtype=np.float32)
    plain = Pack(Shape(0, 10, 4, (5,), 0), 3)
    in_any_order.cache_clear()
    leaves_the_same_bits.cache_clear()
    monkeypatch.setattr(np, "matmul", rounded)
    try:
        assert division([plain])[0] == BLOCK and division([plain])[1] != 8
        assert division([pack]) == division([plain, pack]) == (BLOCK, 8)
        order = rng.permutation(len(X))
        assert_array_equal(raw_of(pack, X[order]), raw_of(pack, X)[:, order])
    finally:
        in_any_order.cache_clear()
        leaves_the_same_bits.cache_clear()


@pytest.mark.parametrize("at_fault", [FEW, MANY])
def test_other_blocks_are_taken_where_they_leave_the_same_bits(at_fault, monkeypatch):
    # a BLAS that rounds alike everywhere, but for products of so many columns of an embedding
    matmul = np.matmul

    def rounded(x, W, out):
        out[...] = np.round(matmul(x.astype(np.float64), W.astype(np.float64)), 3)
        if out.ndim > 3 and out.shape[-1] == at_fault:
            out += 0.001
        return out

    pack, X, _ = started(WIDE, n=70, dtype=np.float32)
    plain = Pack(Shape(0, 10, 4, (16,), 0), 3, training=False)
    in_any_order.cache_clear()
    leaves_the_same_bits.cache_clear()
    monkeypatch.setattr(np, "matmul", rounded)
    try:
        for n, size in {FEW: FEW, FEW + 1: BLOCK, BLOCK + 1: MANY}.items():
            assert division([plain], n) == (size, None)
            expected = BLOCK if size == at_fault else size
            assert division([pack], n) == division([plain, pack], n) == (expected, None)
        assert_array_equal(raw_of(pack, X[:3]), raw_of(pack, X)[:, :3])
    finally:
        in_any_order.cache_clear()
        leaves_the_same_bits.cache_clear()


def test_products_of_few_rows_are_those_of_all():
    pack, X, _ = started(WIDE, n=64)
    found = [
        pack.forward(X, Workspace(pack, 64, training=False, group=group)).copy()
        for group in (None, 16, 1)
    ]
    assert_allclose(found[1], found[0], rtol=1e-12)
    assert_allclose(found[2], found[0], rtol=1e-12)


def test_packs_of_two_shapes_are_read_in_blocks_of_one_size(monkeypatch):
    # one shape that bears blocks of 64 rows, and one that bears blocks of 8 alone
    def borne(shape, dtype, size, group):
        return size == 8 or not shape.embeds()

    packs = [
        started(shape, n=70, dtype=np.float32)[0] for shape in (WIDE, Shape(0, 10, 4, (8,), 0))
    ]
    X = np.random.default_rng(0).normal(size=(70, 10)).astype(np.float32)
    snapshots = [Snapshot(pack, None, 0.0, i, 1, 0.0) for i, pack in enumerate(packs)]
    ensemble = Ensemble(snapshots, [0.5, 0.5], Objective(SquaredError(), 4, False))
    expected = ensemble.predict(X)
    monkeypatch.setattr("sknumpynet.tabular.pack.in_any_order", borne)
    assert_allclose(ensemble.predict(X), expected, atol=1e-5)


def test_first_weights_give_each_unit_variance_one_on_the_data():
    pack, X, _ = started(Shape(2, 6, 3, (16, 16), 8, 3), n=300)
    work = Workspace(pack, 300, training=False)
    pack.forward(X, work)
    assert_allclose(work.z[-1].std(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 0.1},
        {"bias_factor": 0.3, "embedding_factor": 0.7, "scale_factor": 2.0},
    ],
    ids=["defaults", "moments", "factors"],
)
def test_adam_is_the_textbook_with_factors_and_decay(options):
    pack, _, rng = started(Shape(3, 5, 2, (5, 4), 4, 2))
    expected, m, v = pack.params.copy(), 0, 0
    layers = [
        (pack.embedding, "PV"),
        (pack.first, "Wbs"),
        (pack.dense[0], "Wb"),
        (pack.dense[1], "Wb"),
    ]
    factor, decays = [], []
    for view, name in ((getattr(layer, name), name) for layer, names in layers for name in names):
        embedding = options.get("embedding_factor", EMBEDDING_RATE)
        others = {
            "b": options.get("bias_factor", BIAS_RATE),
            "s": options.get("scale_factor", SCALE_RATE),
            "P": embedding,
            "V": embedding,
        }
        factor += [others.get(name, 1 / math.sqrt(view.shape[1]))] * view.size
        decays += [float(name == "W")] * view.size
    factor, decays = np.array(factor), np.array(decays)
    one, two, epsilon = (
        options.get("beta_1", 0.9),
        options.get("beta_2", 0.95),
        options.get("epsilon", 1e-8),
    )
    adam = Adam(pack, **options)
    for t in range(1, 4):
        g = rng.normal(size=pack.n_params)
        pack.grads[...] = g
        adam.step(0.1, 0.02)
        m, v = one * m + (1 - one) * g, two * v + (1 - two) * g * g
        expected *= 1 - 0.1 * 0.02 * decays
        corrected = np.sqrt(1 - two**t) / (1 - one**t)
        expected -= 0.1 * factor * corrected * m / (np.sqrt(v) + epsilon)
    assert_allclose(pack.params, expected, rtol=1e-6, atol=1e-6)


def test_silu_and_its_slope():
    z = np.linspace(-60, 60, 1201)
    a, slope = z.copy(), np.empty_like(z)
    silu(a, slope, np.empty_like(z))
    q = 1 / (1 + np.exp(-z))
    assert_allclose(a, z * q, rtol=1e-12, atol=1e-13)
    assert_allclose(slope, q + z * q * (1 - q), rtol=1e-12, atol=1e-13)


def test_masks_of_the_pool_have_the_distribution_of_dropout():
    pool, rng = DropoutPool(10_000, np.float32), np.random.default_rng(0)
    means, firsts = [], []
    for _ in range(200):
        pool.renew(0.25, rng)
        mask = pool.mask((100, 100), rng)
        assert set(np.unique(mask)) == {0, np.float32(1 / 0.75)}
        means.append(mask.mean())
        firsts.append(mask[0, 0])
    assert abs(np.mean(means) - 1) < 0.005
    assert abs(np.mean(firsts) - 1) < 4 * math.sqrt(0.25 / 0.75 / 200)


def test_a_step_allocates_nothing_large():
    pack, X, rng = started(Shape(6, 10, 3, (64, 64), 16, 3), k=8, n=128, dtype=np.float32)
    work, adam = Workspace(pack, 128, rng=rng), Adam(pack)
    objective = Objective(SquaredError(), 3, False)
    Y = np.zeros((128, 3), np.float32)

    def step():
        work.draw_masks(0.1)
        raw = pack.forward(X, work)
        objective.write_delta(Y, raw, work.delta, work.scratch)
        pack.backward(X, work.delta, work)
        adam.step(0.01, 0.02)

    for _ in range(20):
        step()
    assert peak_bytes(step) < work.z[0].nbytes / 2


def test_a_pickled_pack_has_the_same_bits_and_nothing_but_its_parameters():
    pack, X, _ = started(SHAPES[0])
    text = pickle.dumps(pack)
    assert len(text) < pack.params.nbytes + 2000
    assert_array_equal(raw_of(pickle.loads(text), X), raw_of(pack, X))


def test_predictions_of_blocks_are_to_be_used_at_once():
    pack, X, _ = started(SHAPES[0], n=BLOCK + 1)
    found = [rows for rows, _ in blocks(pack, X, (BLOCK, None))]
    assert found == [slice(0, BLOCK), slice(BLOCK, BLOCK + 1)]


def test_best_temperature():
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(4000, 3))
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=row) for row in p])
    sharp = p**2 / (p**2).sum(axis=1, keepdims=True)  # over-confident: the best temperature is 2
    value, T = temperature_loss(y, np.ones(4000), sharp)
    assert abs(T - 2) < 0.2
    assert abs(value + np.log(p[np.arange(4000), y]).mean()) < 0.002


def test_the_criterion_of_squared_errors_is_that_of_the_ensemble():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(20_000, 1))
    members = y + 0.5 * rng.normal(size=y.shape) + 0.8 * rng.normal(size=(16, *y.shape))
    objective = Objective(SquaredError(), 1, False)
    weight = np.ones(len(y))
    ensemble = objective.criterion(y, weight, members.mean(axis=0)[None], 16)
    assert abs(objective.criterion(y, weight, members[:2], 16) / ensemble - 1) < 0.05
    assert Objective(MultinomialLogLoss(), 2, True).classes


def test_few_rows_do_not_promise_a_loss_below_zero():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 40)
    objective = Objective(MultinomialLogLoss(), 2, True)
    for seed in range(30):
        p = np.random.default_rng(seed).uniform(0.6, 1, size=(2, 40))
        p = np.where(rng.random((2, 40)) < 0.05, 1 - p, p)  # mostly right
        right = np.where(y == 1, p, 1 - p)
        unseen = np.stack([1 - right, right], axis=-1)
        criterion = objective.criterion(y, np.ones(40), unseen, 8, pairs=np.arange(10))
        assert 0 < criterion < 1


def test_few_rows_do_not_move_the_temperature_far():
    # ten rows that are all right would have it infinitely low; many that are too sure, high
    objective = Objective(MultinomialLogLoss(), 2, True)
    p = np.tile([0.9, 0.1], (1, 10, 1))
    assert objective.temperature(np.zeros(10, int), np.ones(10), p, 8) >= 0.8
    n = 5000
    y = (np.arange(n) % 4 == 0).astype(int)  # right in three of four, at 99 %
    p = np.tile([0.99, 0.01], (1, n, 1))
    assert abs(objective.temperature(y, np.ones(n), p, 8) / (math.log(99) / math.log(3)) - 1) < 0.05


class _RunSoFar:
    """The part of a run that `promising` uses: its rows, and the criterion at the ends of its cycles."""

    def __init__(self, n_rows, *criteria):
        self.rows = Rows(np.zeros((n_rows, 1)), None, None, None)
        self.snapshots = [Snapshot(None, None, each, i, 4, 0.0) for i, each in enumerate(criteria)]


@pytest.mark.parametrize(
    "n_rows, behind, kept",
    [
        (4_000, (1.31,), False),
        (4_000, (1.29,), True),
        (4_000, (1.2, 1.11), False),
        (4_000, (1.2, 1.09), True),
        (15_000, (1.011,), False),
        (15_000, (1.009,), True),
        (15_000, (1.009, 1.011), False),
        (15_000, (1.009, 1.009), True),
        (4_000, (np.nan,), False),
    ],
)
def test_a_variant_far_behind_is_given_up(n_rows, behind, kept):
    best = _RunSoFar(n_rows, *[1.0] * len(behind))
    other = _RunSoFar(n_rows, *behind)
    assert promising([best, other]) == ([best, other] if kept else [best])


def test_variants_without_a_criterion_are_not_all_given_up():
    runs = [_RunSoFar(100, np.nan), _RunSoFar(100, np.nan)]
    assert promising(runs)


def test_rows_gathered_in_parts_are_those_of_single_batches(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3)).astype(np.float32)
    y = X[:, :1].copy()
    fold = np.arange(100) % 4
    rows = Rows(X, y, np.ones(100), fold, second=(fold + 1) % 4)
    models = []
    for gathered in (1, 2, 32):
        monkeypatch.setattr(recipe, "GATHERED", gathered)
        small = Recipe(n_members=4, n_folds=4, hidden=(8,), batch_size=16)
        objective, seed = Objective(SquaredError(), 1, False), np.random.SeedSequence(0)
        run = Run(rows, None, objective, small, 3, seed)
        run.train_cycle(2)
        models.append(run.groups[0].pack.params.copy())
    assert_array_equal(models[0], models[1])
    assert_array_equal(models[0], models[2])
