# SPDX-License-Identifier: BSD-3-Clause
"""L-BFGS: the objective against the reference, the optimum of a convex problem, chunks of rows and Ctrl-C."""

import numpy as np
import pytest
import reference
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sknumpynet.core import Dense, Network, SquaredError
from sknumpynet.core.training import Objective, minimize_lbfgs

from .problems import KINKED, LOSSES, flat, lists, make_data, make_loss, make_network, name_of_loss

N = 40


def search(objective, **options):
    return minimize_lbfgs(objective, **{"max_iter": 200, "max_fun": 15000, "tol": 1e-9, **options})


def make_objective(
    case="squared_error", l2=0.5, weighted=True, network=None, loss=None, kind=np.asarray, l1=0.0
):
    X, y, w = make_data(case, N, weighted=weighted)
    return Objective(network or make_network(), loss or make_loss(case), kind(X), y, w, l2, l1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("l1", [0.0, 0.7])
@pytest.mark.parametrize("case", LOSSES)
def test_objective_agrees_with_the_reference(case, l1, weighted):
    objective = make_objective(case, weighted=weighted, l1=l1)
    params = objective.network.params.copy() * 1.5
    value, gradient = objective(params)
    X, y, w = make_data(case, N, weighted=weighted)
    expected, dW, db, _ = reference.backpropagate(
        X, y, w, *lists(objective.network), name_of_loss(case), l2=0.5, l1=l1
    )
    assert_array_equal(objective.network.params, params)
    assert_allclose(value, expected, rtol=1e-12)
    assert_allclose(gradient, flat(dW, db), rtol=1e-11, atol=1e-13)
    total = N if w is None else w.sum()
    weights = params[: objective.network.n_weights]
    penalty = 0.5 / (2 * total) * (weights**2).sum() + l1 / total * abs(weights).sum()
    assert_allclose(objective.penalty(params), penalty)


@pytest.mark.parametrize("chunk", [1, 7, 39])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", LOSSES)
def test_chunks_of_rows_equal_all_rows(monkeypatch, case, weighted, chunk):
    whole = make_objective(case, weighted=weighted)
    assert whole.batches.size == N
    monkeypatch.setattr(Network, "chunk_rows", lambda self, *_, **__: chunk)
    parts = make_objective(case, weighted=weighted)
    assert parts.batches.size == chunk
    value, gradient = whole(whole.network.params.copy())
    value_2, gradient_2 = parts(whole.network.params.copy())
    assert_allclose(value_2, value, rtol=1e-12)
    assert_allclose(gradient_2, gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    "kind", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.csc_array, np.asfortranarray]
)
def test_other_kinds_of_table_give_the_same(kind):
    params = make_network().params
    value, gradient = make_objective()(params)
    value_2, gradient_2 = make_objective(kind=kind)(params)
    assert_allclose(value_2, value, rtol=1e-12)
    assert_allclose(gradient_2, gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("limits", [{}, {"max_iter": 3}, {"max_fun": 4}, {"tol": 1e-3}])
def test_gradient_norm_is_the_length_at_the_parameters_returned(limits):
    objective = make_objective()
    found = search(objective, **limits)
    assert_allclose(found.gradient_norm, np.linalg.norm(objective(found.params)[1]), rtol=1e-9)


def test_gradient_norm_of_a_search_that_was_stopped():
    objective, seen = make_objective(), []
    start = objective.network.params.copy()

    def watch(found):
        seen.append(found.gradient_norm)
        return "enough" if len(seen) == 2 else None

    found = search(objective, watch=watch)
    assert found.gradient_norm == seen[-1]
    assert_allclose(found.gradient_norm, np.linalg.norm(objective(found.params)[1]), rtol=1e-12)

    class Interrupted(Objective):
        calls = 0

        def __call__(self, params):
            self.calls += 1
            if self.calls == 2:
                raise KeyboardInterrupt
            return super().__call__(params)

    X, y, w = make_data("squared_error", N)
    found = search(Interrupted(make_network(), SquaredError(), X, y, w, 0.5))
    assert found.interrupted and found.nit == 0
    assert_array_equal(found.params, start)
    objective = Objective(make_network(), SquaredError(), X, y, w, 0.5)
    assert_allclose(found.gradient_norm, np.linalg.norm(objective(start)[1]), rtol=1e-12)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.csc_array])
def test_wide_sparse_rows_are_not_cut_into_small_chunks(kind):
    X = kind(sp.random(500, 3000, 0.003, random_state=0))
    y = np.random.default_rng(0).normal(size=(500, 1))
    network = Network([Dense(3000, 5), "tanh", Dense(5, 1)], rng=0)
    sparse = Objective(network, SquaredError(), X, y, None, 0.5)
    assert sparse.batches.size == 500
    value, gradient = sparse(network.params)
    value_2, gradient_2 = Objective(network, SquaredError(), X.toarray(), y, None, 0.5)(
        network.params
    )
    assert_allclose(value, value_2, rtol=1e-12)
    assert_allclose(gradient, gradient_2, rtol=1e-10, atol=1e-14)


def solve_ridge(X, y, w, l2):
    """Return W and b that minimise ``sum_i w_i |x_i W + b - y_i|^2 + l2 |W|^2``."""
    ones = np.column_stack([X, np.ones(len(X))])
    penalty = l2 * np.diag([1.0] * X.shape[1] + [0.0])
    solution = np.linalg.solve(ones.T @ (w[:, None] * ones) + penalty, ones.T @ (w[:, None] * y))
    return solution[:-1], solution[-1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_reaches_the_optimum_of_a_linear_model(dtype, weighted):
    X, y, w = make_data("squared_error", N, sizes=(5, 3), weighted=weighted)
    network = Network([Dense(5, 3)], dtype=dtype, rng=0)
    before = network.params.copy()
    found = search(Objective(network, SquaredError(), X, y, w, 2.0))
    W, b = solve_ridge(X, y, np.ones(N) if w is None else w, 2.0)
    assert found.params.dtype == np.float64
    assert_allclose(found.params, flat([W], [b]), rtol=1e-4, atol=1e-5)
    assert found.status == 0 and not found.interrupted and found.nit > 1
    total = N if w is None else w.sum()
    assert_allclose(found.penalty, 2.0 / (2 * total) * (W**2).sum(), rtol=1e-4)
    assert_array_equal(network.params, before)  # what to do with the result is the caller's affair


@pytest.mark.parametrize("case", [case for case in LOSSES if case not in KINKED])
def test_the_gradient_vanishes_at_what_it_finds(case):
    network = Network([Dense(5, 3)], rng=0)
    found = search(make_objective(case, network=network))
    value, gradient = make_objective(case, network=network)(found.params)
    assert_allclose(found.value, value, rtol=1e-12)
    assert abs(gradient).max() < 1e-4


def test_limits_end_the_search():
    assert search(make_objective(), max_iter=3).nit == 3
    found = search(make_objective(), max_fun=4)
    assert found.status == 1 and found.nit <= 4
    assert search(make_objective(), tol=1e9).nit == 0


def test_watch_is_told_of_each_iteration():
    seen = []

    def watch(latest):
        seen.append((latest.nit, latest.value, latest.penalty, latest.params.copy()))

    found = search(make_objective(), max_iter=3, watch=watch)
    assert [nit for nit, *_ in seen] == [1, 2, 3]
    objective = make_objective()
    for _, value, penalty, params in seen:
        assert value == objective(params)[0] and penalty == objective.penalty(params)
    assert seen[-1][1] == found.value
    assert_array_equal(seen[-1][3], found.params)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_watch_may_end_the_search_with_a_reason(n):
    expected = search(make_objective(), max_iter=n)
    found = search(make_objective(), watch=lambda latest: "enough" if latest.nit == n else None)
    assert (found.nit, found.status, found.message) == (n, 1, "enough")
    assert not found.interrupted
    assert_array_equal(found.params, expected.params)
    assert found.value == expected.value and found.penalty == expected.penalty


def test_normalised_layers_may_be_searched():
    # each row by itself: chunks of rows change nothing, and all parameters move
    network = make_network(normalization="layer")
    found = search(make_objective(network=network), max_iter=30)
    value, _ = make_objective(network=network)(network.params.copy())
    assert found.value < 0.5 * value
    assert (found.params[-12:] != network.params[-12:]).all()


# ---- Ctrl-C


class Interrupted(SquaredError):
    """Ctrl-C in the middle of the n-th evaluation."""

    def __init__(self, n):
        self.n = n

    def __deepcopy__(self, memo):  # of which there is one trial before the search
        return SquaredError()

    def terms_and_gradient(self, y, raw, gradient, scratch):
        self.n -= 1
        if self.n == -1:
            raise KeyboardInterrupt
        return super().terms_and_gradient(y, raw, gradient, scratch)


def interrupt_after(n):
    seen = []

    def watch(latest):
        seen.append(latest.nit)
        if len(seen) == n:
            raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_ctrl_c_between_iterations_keeps_the_last_iterate(n):
    expected = search(make_objective(), max_iter=n)
    found = search(make_objective(), watch=interrupt_after(n))
    assert found.interrupted and found.message == "" and found.status == 1
    assert found.nit == expected.nit == n
    assert_array_equal(found.params, expected.params)
    assert found.value == expected.value and found.penalty == expected.penalty


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12, 20])
def test_ctrl_c_within_an_evaluation_keeps_the_last_iterate(n):
    found = search(make_objective(loss=Interrupted(n)))
    assert found.interrupted
    assert found.nit < n
    value, _ = make_objective()(found.params)
    assert_allclose(found.value, value, rtol=1e-13)
    if found.nit:
        assert_array_equal(found.params, search(make_objective(), max_iter=found.nit).params)
    else:
        assert_array_equal(found.params, make_network().params)


def test_ctrl_c_within_a_line_search_forgets_its_trials():
    def objective(n):
        return make_objective(loss=Interrupted(n), kind=lambda X: 100 * X)

    found = [search(objective(n)) for n in range(1, 40)]
    in_a_line_search = [n for n in range(1, 39) if found[n].nit == found[n - 1].nit > 0]
    assert in_a_line_search
    for n in in_a_line_search:
        assert_array_equal(found[n].params, found[n - 1].params)
        assert found[n].value == found[n - 1].value == objective(-1)(found[n].params)[0]


def test_ctrl_c_in_the_first_evaluation_keeps_the_start():
    found = search(make_objective(loss=Interrupted(0)))
    assert found.interrupted and found.nit == 0
    assert_array_equal(found.params, make_network().params)
    assert np.isnan(found.value)
