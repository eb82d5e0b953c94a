# SPDX-License-Identifier: BSD-3-Clause
"""Training: steps and epochs against the reference's loop, when it stops, and how it continues."""

import copy
import pickle
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import reference
from memory import peak_bytes
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils import shuffle

from sknumpynet.core import (
    SGD,
    Adam,
    AdamW,
    Adaptive,
    Constant,
    Cosine,
    Custom,
    Exponential,
    InverseScaling,
    MultioutputLogLoss,
    OneCycle,
    Quantile,
    StepDecay,
    Warmup,
    Workspace,
    arrays,
)
from sknumpynet.core.optimizers import OPTIMIZERS
from sknumpynet.core.schedules import get_schedule
from sknumpynet.core.training import Batches, Patience, Training, clip_norm
from sknumpynet.fitting.fit_network import fit_state
from sknumpynet.fitting.monitor import Monitor

from .problems import (
    LOSSES,
    TRAINABLE,
    flat,
    lists,
    make_data,
    make_loss,
    make_network,
    name_of_loss,
)

N, SIZE = 13, 5  # batches of 5, 5 and 3


@dataclass
class Plan:
    """The attributes of a plan that a monitor uses."""

    max_epochs: int
    tol: float
    n_iter_no_change: float
    early_stopping: bool
    fixed_length: bool
    is_lbfgs: bool = False
    max_time: float | None = None


class Validation:
    """Loss and score from a function, as a monitor asks for them."""

    goes_on = has_score = True

    def __init__(self, function):
        self.function = function

    def __call__(self, network):
        return self.function()

    def state(self):
        return {}


class Hooks:
    """A function that is called at the beginning of each epoch."""

    def __init__(self, before):
        self.begin_epoch = before

    def end_epoch(self, history):
        return False


class Watched(Training):
    """A training with a monitor that watches it, as a fit has them."""

    def __init__(self, *parts, tol=1e-4, n_iter_no_change=10, log=None, **options):
        super().__init__(*parts, **{"max_epochs": 1000, **options})
        self.tol, self.n_iter_no_change, self.log, self.monitor = tol, n_iter_no_change, log, None

    def __getstate__(self):
        return {**super().__getstate__(), "log": None, "monitor": None}

    history = property(lambda self: self.monitor.history)
    converged = property(lambda self: self.monitor.converged)
    best = property(lambda self: self.monitor.best)

    def run(self, batches, rows, n_epochs, validate=None, keep_best=True, before=None, kept=None):
        """Train as `fit_network` does, and yield the number of epochs done after each.

        Where ``keep_best`` the score decides. ``kept`` is the state of a run that was broken off.
        """
        decides = validate is not None and keep_best
        plan = Plan(n_epochs, self.tol, self.n_iter_no_change, decides, self.schedule.fixed_length)
        validation = None if validate is None else Validation(validate)
        hooks = None if before is None else Hooks(before)
        self.monitor = monitor = Monitor(plan, self.network, validation, hooks, self.log)
        if kept is not None:
            self.set_state(kept["training"])
            monitor.set_state(kept["monitor"])
        monitor.patience = self.patience
        with monitor.watching():
            epochs = self.epochs(batches, rows)
            while not monitor.done:
                monitor.begin_epoch()
                monitor.epoch_done(next(epochs), self.slow_down)
                yield monitor.n_epochs
        if monitor.interrupted:  # a fit ends there; here it shows that it was seen
            raise KeyboardInterrupt


def make_training(
    case="squared_error", optimizer=None, schedule=None, network=None, seed=0, **options
):
    return Watched(
        make_network() if network is None else network,
        make_loss(case),
        Adam() if optimizer is None else optimizer,
        Constant(0.01) if schedule is None else schedule,
        np.random.RandomState(seed),
        **options,
    )


def log_into(lines):
    return lambda monitor, event: lines.append(event)


def make_batches(case="squared_error", weighted=False, size=SIZE):
    X, y, w = make_data(case, N, weighted=weighted)
    return Batches(X, y, w, size, np.float64)


def run(training, n_epochs, batches=None, rows=None, validate=None, **options):
    return list(training.run(batches or make_batches(), rows, n_epochs, validate, **options))


# ---- the reference's loop


def train_reference(case, training, n_epochs, weighted, rows=None):
    """Return the parameters and the loss of each epoch."""
    X, y, w = make_data(case, N, weighted=weighted)
    if rows is not None:
        X, y, w = X[rows], y[rows], w if w is None else w[rows]
    *params, names = lists(training.network)
    n_layers, params = len(names), params[0] + params[1]
    optimizer, t = training.optimizer, 0
    state = [[np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]]
    rng, order, curve = np.random.RandomState(0), np.arange(len(X)), []
    for _ in range(n_epochs):
        if training.shuffle:
            order = shuffle(order, random_state=rng)
        total = 0.0
        for start in range(0, len(X), SIZE):
            t += 1
            batch = order[start : start + SIZE]
            value, dW, db, _ = reference.backpropagate(
                X[batch],
                y[batch],
                None if w is None else w[batch],
                params[:n_layers],
                params[n_layers:],
                names,
                name_of_loss(case),
                training.l2,
                training.l1,
            )
            total += value * len(batch)
            if isinstance(optimizer, Adam):
                params, *state = reference.adam_step(
                    params, dW + db, *state, t, 0.01, **optimizer.get_params()
                )
            else:
                params, state[0] = reference.sgd_step(
                    params, dW + db, state[0], 0.01, **optimizer.get_params()
                )
        curve.append(total / len(X))
    return flat(params, []), curve


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=repr)
@pytest.mark.parametrize("l1", [0.0, 0.2])
@pytest.mark.parametrize("case", LOSSES)
def test_epochs_agree_with_the_reference(case, l1, optimizer, weighted, shuffled):
    training = make_training(case, copy.copy(optimizer), l2=0.3, l1=l1, shuffle=shuffled)
    expected, curve = train_reference(case, training, 3, weighted)
    assert run(training, 3, make_batches(case, weighted)) == [1, 2, 3]
    assert_allclose(training.network.params, expected, rtol=1e-11, atol=1e-12)
    assert_allclose(training.history.loss, curve, rtol=1e-12)
    assert training.progress.samples == 3 * N
    assert training.history.score == [] and not training.converged


def test_long_vectors_in_pieces_agree_with_the_reference(monkeypatch):
    monkeypatch.setattr(arrays, "PIECE", 17)
    training = make_training(l2=0.3, l1=0.1)
    expected, curve = train_reference("squared_error", training, 2, True)
    run(training, 2, make_batches(weighted=True))
    assert_allclose(training.network.params, expected, rtol=1e-11, atol=1e-12)
    assert_allclose(training.history.loss, curve, rtol=1e-12)


@pytest.mark.parametrize("shuffled", [True, False])
def test_trains_on_some_of_the_rows(shuffled):
    rows = np.array([12, 3, 5, 7, 1, 0, 9])
    training = make_training(shuffle=shuffled)
    expected, curve = train_reference("squared_error", training, 2, True, rows)
    run(training, 2, make_batches(weighted=True), rows)
    assert_allclose(training.network.params, expected, rtol=1e-11, atol=1e-12)
    assert_allclose(training.history.loss, curve, rtol=1e-12)


def test_rows_may_be_a_mask_and_must_be_there():
    mask = np.arange(N) % 3 == 0
    trained = []
    for rows in (np.flatnonzero(mask), mask, np.flatnonzero(mask) - N):
        training = make_training()
        run(training, 2, make_batches(weighted=True), rows)
        trained.append(training.network.params)
    assert_array_equal(trained[1], trained[0])
    assert_array_equal(trained[2], trained[0])
    with pytest.raises(IndexError):
        run(make_training(), 1, make_batches(), np.array([0, N]))


def test_one_batch_may_be_larger_than_the_data():
    training, whole = make_training(), make_training()
    run(training, 2, make_batches(size=100))
    run(whole, 2, make_batches(size=N))
    assert_array_equal(training.network.params, whole.network.params)


def test_a_short_last_batch_counts_by_its_rows():
    training = make_training(
        optimizer=SGD(momentum=0), schedule=Custom(lambda step: 0.0), shuffle=False, l2=0.3
    )
    X, y, _ = make_data("squared_error", N)
    parts = [
        reference.backpropagate(
            X[start : start + SIZE],
            y[start : start + SIZE],
            None,
            *lists(training.network),
            "squared_error",
            l2=0.3,
        )[0]
        for start in (0, 5, 10)
    ]
    run(training, 1)
    assert_allclose(training.history.loss, (5 * parts[0] + 5 * parts[1] + 3 * parts[2]) / 13)


def test_loss_scale_applies_to_the_report_of_the_loss_only():
    one, third = make_training(l2=0.3), make_training(l2=0.3, loss_scale=1 / 3)
    batches = make_batches(size=N)
    weights = one.network.params[: one.network.n_weights]
    penalty = 0.3 / (2 * N) * (weights**2).sum()
    run(one, 1, batches)
    run(third, 1, batches)
    assert_array_equal(one.network.params, third.network.params)
    assert_allclose(third.history.loss[0] - penalty, (one.history.loss[0] - penalty) / 3)


@pytest.mark.parametrize("case", LOSSES)
def test_a_batch_without_weight_has_the_penalty_alone(case):
    training = make_training(case, SGD(momentum=0), Constant(0.1), l2=2.0)
    network = training.network
    X, y, _ = make_data(case, n=4)
    before, n_weights = network.params.copy(), network.n_weights
    loss = training.step(X, y, np.zeros(4), Workspace(network, 4), np.empty(n_weights))
    assert loss == 0.0
    assert_allclose(network.grads[:n_weights], 2.0 / 4 * before[:n_weights])
    assert_array_equal(network.grads[n_weights:], 0)
    assert_allclose(network.params[:n_weights], (1 - 0.1 * 2.0 / 4) * before[:n_weights])
    assert_array_equal(network.params[n_weights:], before[n_weights:])


def test_batches_without_weight_in_an_epoch():
    X, y, _ = make_data("squared_error", N)
    w = np.zeros(N)
    w[0] = 1.0
    training = make_training(shuffle=False)
    expected = reference.backpropagate(
        X[:1], y[:1], w[:1], *lists(training.network), "squared_error"
    )[0]
    run(training, 1, Batches(X, y, w, SIZE, np.float64))
    assert_allclose(training.history.loss, [5 * expected / 13])


# ---- when to stop

INF = np.inf


@pytest.mark.parametrize(
    "tol, losses, stalled, best",
    [
        (0.0, [3, 2, 1], [0, 0, 0], 1),
        (0.0, [3, 3, 2], [0, 0, 0], 2),  # as good as the best, to the last digit, does not count
        (0.0, [3, 4, 5, 2], [0, 1, 2, 0], 2),
        (0.5, [3, 2.75, 2.5, 2.25, 1.75], [0, 1, 2, 3, 0], 1.75),  # small steps only are a stall
        (0.5, [3, 2.5], [0, 0], 2.5),
        (-INF, [3, 4, 5], [0, 0, 0], 3),
        (0.0, [3, np.nan, 4], [0, 0, 1], 3),
    ],
)
def test_patience_with_a_loss(tol, losses, stalled, best):
    patience, seen = Patience(INF), []
    for loss in losses:
        patience.update_loss(loss, tol)
        seen.append(patience.n_no_improvement)
    assert seen == stalled and patience.best == best


@pytest.mark.parametrize(
    "tol, scores, stalled, is_best",
    [
        (0.0, [1, 2, 3], [0, 0, 0], [True, True, True]),
        (0.0, [1, 1, 0, 2], [0, 0, 1, 0], [True, False, False, True]),
        (0.5, [1, 1.25, 1.5, 2.5], [0, 1, 2, 0], [True, True, True, True]),
    ],
)
def test_patience_with_a_score(tol, scores, stalled, is_best):
    patience = Patience(-INF)
    better = []
    for score, expected in zip(scores, stalled):
        better.append(patience.update_score(score, tol))
        assert patience.n_no_improvement == expected
    assert better == is_best and patience.best == max(scores)


# With such a tol no epoch but the first is good enough: n_iter_no_change = 2 is exceeded after epoch 4.
HOPELESS = {"tol": 1e9, "n_iter_no_change": 2}


@pytest.mark.parametrize("schedule", [Constant(0.01), InverseScaling(0.01)], ids=repr)
def test_stops_after_more_epochs_without_progress_than_allowed(schedule):
    lines = []
    training = make_training(schedule=schedule, **HOPELESS, log=log_into(lines))
    assert run(training, 50) == [1, 2, 3, 4]
    assert training.converged
    assert lines[:4] == [1, 2, 3, 4] and len(lines) == 5
    assert lines[-1].startswith(
        "Training loss did not improve more than tol=1000000000.000000 for 2 "
    )
    assert lines[-1].endswith("Stopping.")


def test_a_later_run_may_go_on():
    training = make_training(**HOPELESS)
    run(training, 50)
    training.tol = -INF
    assert run(training, 3) == [1, 2, 3] and not training.converged
    assert len(training.history.loss) == 3 and training.progress.samples == 7 * N


def test_infinite_patience_never_stops():
    training = make_training(tol=1e9, n_iter_no_change=INF)
    assert len(run(training, 20)) == 20 and not training.converged


def test_adaptive_divides_on_each_plateau_and_stops_at_the_bottom():
    lines, rates = [], []
    schedule = Adaptive(0.01, factor=10, smallest=2e-4)
    training = make_training(schedule=schedule, **HOPELESS, log=log_into(lines))
    for _ in training.run(make_batches(), None, 50):
        rates.append(training.learning_rate)
    # plateaus after epoch 4, and after three more that were no better
    assert_allclose(training.history.learning_rate, [1e-2] * 4 + [1e-3] * 3 + [1e-4] * 3)
    # what comes of an epoch is settled before others see it
    assert_allclose(rates, [1e-2] * 3 + [1e-3] * 3 + [1e-4] * 4)
    assert training.converged
    assert sum(str(line).endswith("Setting learning rate to 0.001000") for line in lines) == 1


def test_inverse_scaling_moves_at_the_end_of_each_epoch():
    training = make_training(schedule=InverseScaling(0.1, 0.5))
    rates = [training.learning_rate]
    for _ in training.run(make_batches(), None, 3):
        rates.append(training.learning_rate)
    assert_allclose(rates, [0.1, 0.1 / 14**0.5, 0.1 / 27**0.5, 0.1 / 40**0.5])


def test_a_schedule_of_the_step_is_asked_before_each_step():
    asked = []
    schedule = get_schedule(lambda step: asked.append(step) or 0.01, 1.0)
    training = make_training(schedule=schedule)
    run(training, 2)
    assert asked[-6:] == [0, 1, 2, 3, 4, 5] and training.progress.step == 6


@pytest.mark.parametrize("kind", [OneCycle, Cosine])
def test_a_schedule_with_an_end_takes_all_epochs(kind):
    rates = []

    class Spy(kind):
        def __call__(self, progress):
            rates.append((progress.step, progress.n_steps))
            return super().__call__(progress)

    training = make_training(schedule=Spy(0.01), **HOPELESS, max_epochs=8)
    assert len(run(training, 8)) == 8 and not training.converged
    assert rates[-24:] == [(step, 24) for step in range(24)]


@pytest.mark.parametrize(
    "schedule", [Warmup(Cosine(0.01), 3), Warmup("one_cycle", 0.5, 0.01)], ids=repr
)
def test_a_rise_before_a_schedule_with_an_end_takes_all_epochs(schedule):
    training = make_training(schedule=schedule, **HOPELESS, max_epochs=8)
    assert len(run(training, 8)) == 8 and not training.converged
    # beyond the end the last rate stays
    assert len(run(training, 2)) == 2
    assert training.history.learning_rate[1] == training.history.learning_rate[0]


def test_a_rise_before_adaptive():
    schedule = Warmup(Adaptive(0.01, factor=10, smallest=2e-4), steps=5)
    training = make_training(schedule=schedule, **HOPELESS)
    assert len(run(training, 50)) == 10 and training.converged
    expected = np.array([0.01 * 3 / 6] + [0.01] * 3 + [1e-3] * 3 + [1e-4] * 3)
    assert_allclose(training.history.learning_rate, expected)


@pytest.mark.parametrize(
    "schedule, rates",
    [
        (StepDecay(0.1, every=2, factor=0.5), [0.1, 0.1, 0.05, 0.05, 0.025]),
        (Exponential(0.1, factor=0.5), [0.1, 0.05, 0.025, 0.0125, 0.00625]),
        (get_schedule(lambda step: 1 / (1 + step), 1.0), [1 / 3, 1 / 6, 1 / 9, 1 / 12, 1 / 15]),
        (Warmup(Exponential(0.1, 0.5), steps=7), [0.0375, 0.0375, 0.025, 0.0125, 0.00625]),
    ],
    ids=["step", "exponential", "function", "warmup"],
)
def test_rates_of_the_epochs(schedule, rates):
    training = make_training(schedule=schedule)
    run(training, 5)
    assert_allclose(training.history.learning_rate, rates, rtol=1e-12)


def test_weights_alone_decay():
    one, other = make_training(optimizer=Adam()), make_training(optimizer=AdamW(weight_decay=0.5))
    batches, n_weights = make_batches(size=N), one.network.n_weights
    start = one.network.params.copy()
    run(one, 1, batches)
    run(other, 1, batches)
    difference = one.network.params - other.network.params
    assert_allclose(difference[:n_weights], 0.01 * 0.5 * start[:n_weights], rtol=1e-9)
    assert_array_equal(difference[n_weights:], 0)


def test_the_rate_is_that_of_the_step():
    # plain gradient descent on a linear function of nothing but the rate: the first step of each epoch
    training = make_training(optimizer=SGD(momentum=0), schedule=InverseScaling(0.1))
    batches, moved = make_batches(size=N), []
    network = training.network
    before = network.params.copy()
    for _ in training.run(batches, None, 3):
        moved.append(np.linalg.norm(network.params - before) / np.linalg.norm(network.grads))
        before = network.params.copy()
    assert_allclose(moved, [0.1, 0.1 / 14**0.5, 0.1 / 27**0.5])


# ---- penalties and long gradients


def test_gradients_longer_than_allowed_are_shortened():
    batches = make_batches(size=N)
    for largest, is_clipped in [(0.01, True), (1e9, False), (None, False)]:
        training = make_training(
            optimizer=SGD(momentum=0), schedule=Constant(1.0), l2=0.3, max_grad_norm=largest
        )
        before = training.network.params.copy()
        plain = make_training(optimizer=SGD(momentum=0), schedule=Constant(1.0), l2=0.3)
        run(plain, 1, batches)
        run(training, 1, batches)
        # the penalty's gradient is shortened with the rest, and the direction stays
        moved, free = training.network.params - before, plain.network.params - before
        if is_clipped:
            assert np.linalg.norm(moved) == pytest.approx(0.01)
            assert_allclose(moved / 0.01, free / np.linalg.norm(free), rtol=1e-9, atol=1e-12)
        else:
            assert_array_equal(moved, free)
        assert training.history.loss == plain.history.loss


def test_clip_norm_returns_the_length_before():
    grads = np.array([3.0, 4.0])
    assert clip_norm(grads, 6.0) == 5.0 and (grads == [3, 4]).all()
    assert clip_norm(grads, 2.5) == 5.0
    assert_allclose(grads, [1.5, 2.0])
    grads = np.zeros(2)
    assert clip_norm(grads, 1.0) == 0 and (grads == 0).all()


def test_the_penalty_on_sizes_brings_weights_to_zero():
    one, other = make_training(), make_training(l1=3.0)
    small = []
    for training in (one, other):
        run(training, 200, make_batches(size=N))
        weights = training.network.params[: training.network.n_weights]
        small.append((abs(weights) < 0.02).mean())
    assert small[1] > 0.5 > 10 * small[0]


def test_history_has_a_row_for_each_epoch():
    training = make_training(l2=0.3, schedule=InverseScaling(0.01))
    norms = []
    for _ in training.run(make_batches(), None, 3):
        norms.append(np.linalg.norm(training.network.grads))
    history = training.history
    assert_allclose(history.gradient_norm, norms)
    assert_allclose(history.learning_rate, [0.01, 0.01 / 14**0.5, 0.01 / 27**0.5])
    assert len(history.seconds) == 3 and min(history.seconds) > 0
    assert history.validation_loss == history.score == []


# ---- the best epoch


def validate_with(training, scores, seen):
    def validate():
        seen.append(training.network.params.copy())
        score = scores[len(seen) - 1]
        if isinstance(score, BaseException):
            raise score
        return 10 - score, score

    return validate


def make_validated(scores, **options):
    training = make_training(patience=Patience(-INF), **options)
    seen = []
    return training, seen, validate_with(training, scores, seen)


def test_early_stopping_puts_the_best_back():
    scores = [0.5, 0.9, 0.9, 0.8, 0.7, 0.6]  # the first of two equal ones is kept
    lines = []
    training, seen, validate = make_validated(
        scores, tol=0.0, n_iter_no_change=2, log=log_into(lines)
    )
    assert run(training, 50, validate=validate) == [1, 2, 3, 4, 5, 6]
    assert training.converged and training.history.score == scores
    assert training.patience.best == 0.9
    assert_array_equal(training.network.params, seen[1])
    assert_allclose(training.history.validation_loss, [10 - score for score in scores])
    assert lines[:6] == [1, 2, 3, 4, 5, 6] and training.best is None
    assert lines[-1].startswith("Validation score did not improve more than tol=0.000000 for 2 ")


def test_the_best_is_put_back_at_the_last_epoch():
    training, seen, validate = make_validated([0.5, 0.9, 0.1])
    run(training, 3, validate=validate)
    assert not training.converged
    assert_array_equal(training.network.params, seen[1])


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), ZeroDivisionError()], ids=repr)
def test_an_interrupted_run_puts_the_best_back(stop):
    training, seen, validate = make_validated([0.5, 0.9, 0.1, stop])
    with pytest.raises(type(stop)):
        run(training, 50, validate=validate)
    assert_array_equal(training.network.params, seen[1])
    assert training.history.score == [0.5, 0.9, 0.1]


def test_closing_the_iterator_puts_the_best_back():
    training, seen, validate = make_validated([0.5, 0.9, 0.1])
    epochs = training.run(make_batches(), None, 50, validate)
    for epoch in epochs:
        if epoch == 3:
            break
    assert_array_equal(training.network.params, seen[2])
    epochs.close()
    assert_array_equal(training.network.params, seen[1])


def test_without_keep_best_the_validation_is_only_recorded():
    scores = [0.5, 0.9, 0.1, 0.1, 0.1]
    plain = make_training(tol=0.0, n_iter_no_change=2)
    run(plain, 5)
    training = make_training(tol=0.0, n_iter_no_change=2)
    seen = []
    validate = validate_with(training, scores, seen)
    assert run(training, 5, validate=validate, keep_best=False) == [1, 2, 3, 4, 5]
    assert training.history.score == scores
    assert_allclose(training.history.validation_loss, [10 - score for score in scores])
    assert_array_equal(training.network.params, seen[-1])
    assert_array_equal(training.network.params, plain.network.params)
    # the loss decides when to stop, and here it goes on falling
    assert training.patience == plain.patience and training.best is None


def test_the_best_has_its_running_statistics_with_it():
    training = make_training(
        network=make_network(normalization="batch"), patience=Patience(-np.inf)
    )
    states, scores = [], [0.5, 0.9, 0.1]

    def validate():
        states.append(training.network.running_stats.copy())
        return 0.0, scores[len(states) - 1]

    run(training, 3, validate=validate)
    assert (states[1] != states[2]).all()
    assert_array_equal(training.network.running_stats, states[1])


def test_what_is_done_before_each_epoch():
    training = make_training()
    seen = []
    run(training, 3, before=lambda: seen.append(len(training.history.loss)))
    assert seen == [0, 1, 2]


def test_a_run_interrupted_within_an_epoch_puts_the_best_back():
    training, seen, validate = make_validated([0.5, 0.9])
    step, calls = training.step, []

    def interrupted(*batch):
        calls.append(batch)
        if len(calls) == 8:  # the second batch of the third epoch
            raise KeyboardInterrupt
        return step(*batch)

    training.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        run(training, 50, validate=validate)
    assert len(seen) == 2
    assert_array_equal(training.network.params, seen[1])


# ---- going on


def without_seconds(history):
    return {name: column for name, column in vars(history).items() if name != "seconds"}


@pytest.mark.parametrize(
    "twin", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
@pytest.mark.parametrize("optimizer", [SGD(), SGD(0.5, nesterov=False), Adam()], ids=repr)
@pytest.mark.parametrize(
    "schedule", [Constant(0.01), InverseScaling(0.1), Adaptive(0.01)], ids=repr
)
def test_copy_continues_training_identically(schedule, optimizer, twin):
    through, halted = (
        make_training(
            optimizer=copy.copy(optimizer), schedule=schedule, l2=0.1, tol=0.05, n_iter_no_change=3
        )
        for _ in range(2)
    )
    batches = make_batches(weighted=True)
    run(through, 4, batches)
    run(through, 6, batches)
    run(halted, 4, batches)
    other = twin(halted)
    run(other, 6, batches)
    assert_array_equal(other.network.params, through.network.params)
    assert without_seconds(other.history) == without_seconds(through.history)
    assert other.patience == through.patience and other.progress == through.progress
    assert other.learning_rate == through.learning_rate
    # and what was copied has not moved
    assert len(halted.history.loss) == 4


RICH = {"normalization": "batch", "dropout": 0.3}


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_interrupted_run_ends_with_the_same_result(optimizer, validated):
    batches, n_epochs, halt = make_batches(weighted=True), 9, 4
    scores = [0.1, 0.5, 0.3, 0.2, 0.4, 0.45, 0.3, 0.2, 0.1]

    def begin():
        return make_training(
            optimizer=OPTIMIZERS[optimizer](),
            schedule=Warmup("one_cycle", 0.2, 0.01),
            network=make_network(**RICH),
            l2=0.1,
            max_grad_norm=1.0,
            max_epochs=n_epochs,
            patience=Patience(-np.inf if validated else np.inf),
        )

    def validate_by(training):
        # what is validated must be the network in training
        return lambda: (
            float(training.network.params.sum()),
            scores[len(training.history.loss)],
        )

    through, halted = begin(), begin()
    run(through, n_epochs, batches, validate=validate_by(through) if validated else None)
    epochs = halted.run(batches, None, n_epochs, validate_by(halted) if validated else None)
    for epoch in epochs:
        if epoch == halt:
            kept = pickle.dumps(fit_state(halted, halted.monitor))
            break
    epochs.close()
    other = begin()
    left = run(
        other,
        n_epochs,
        batches,
        validate=validate_by(other) if validated else None,
        kept=pickle.loads(kept),
    )
    assert left == list(range(halt + 1, n_epochs + 1))
    assert_array_equal(other.network.params, through.network.params)
    assert_array_equal(other.network.running_stats, through.network.running_stats)
    assert without_seconds(other.history) == without_seconds(through.history)
    assert other.patience == through.patience and len(other.history.seconds) == n_epochs
    for name, vector in through.optimizer.state.items():
        assert_array_equal(other.optimizer.state[name], vector)


@pytest.mark.parametrize("schedule", [Constant(0.01), Adaptive(0.01, smallest=1e-3)], ids=repr)
def test_run_interrupted_at_any_epoch_stops_at_the_same_epoch(schedule):
    # also where the plateau is reached in the last epoch that was kept
    through = make_training(schedule=schedule, **HOPELESS)
    kept = [
        pickle.dumps(fit_state(through, through.monitor))
        for _ in through.run(make_batches(), None, 50)
    ]
    for halt, state in enumerate(kept, start=1):
        other = make_training(schedule=schedule, **HOPELESS)
        assert run(other, 50, kept=pickle.loads(state)) == list(range(halt + 1, len(kept) + 1))
        assert other.converged
        assert_array_equal(other.network.params, through.network.params)
        assert without_seconds(other.history) == without_seconds(through.history)


def test_each_epoch_shuffles_on():
    training = make_training()
    orders = []
    for _ in training.run(make_batches(), None, 4):
        orders.append(training.order.copy())
        assert_array_equal(np.sort(orders[-1]), np.arange(N))
    assert all((one != other).any() for one, other in pairwise(orders))


def test_a_pickle_keeps_the_order_small_and_no_log():
    training = make_training(log=log_into([]))
    run(training, 1)
    assert training.order.dtype == np.int64
    other = pickle.loads(pickle.dumps(training))
    assert other.order.dtype == np.uint32 and other.log is None and training.log is not None
    assert_array_equal(other.order, training.order)


def test_other_rows_begin_a_new_order():
    training = make_training()
    run(training, 1)
    run(training, 1, rows=np.arange(6))
    assert_array_equal(np.sort(training.order), np.arange(6))


# ---- memory

# Quantiles have a number of their own, and are measured by themselves.
LEAN = [case for case in LOSSES if case != "quantiles"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "case",
    [*LEAN, "binary_log_loss of bool", "smoothed binary_log_loss of bool", "binary focal of bool"],
)
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_a_step_allocates_nothing_that_grows(activation, case, weighted):
    case, kind = case.removesuffix(" of bool"), "bool" if case.endswith("of bool") else ""
    allocates_nothing_that_grows(case, weighted, kind, activation)


@pytest.mark.parametrize("loss", [Quantile(np.linspace(0.1, 0.9, 64)), MultioutputLogLoss([32, 32]),
                                  MultioutputLogLoss([2] * 32, smoothing=0.1)])  # fmt: skip
def test_losses_of_several_outputs_allocate_nothing_that_grows(loss):
    def peak(n):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, size=(n, len(getattr(loss, "sizes", [0]))))
        y = y.astype(float) if isinstance(loss, Quantile) else y
        raw = rng.normal(size=(n, 64))
        buffers = {"out": np.empty_like(raw), "scratch": np.empty_like(raw)}
        loss.value_and_gradient(y, raw, **buffers)
        return peak_bytes(lambda: loss.value_and_gradient(y, raw, **buffers))

    # what there may be is one number for a row, not for a value
    assert peak(4096) - peak(128) < 8 * 8 * 4096


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_optimizer_allocates_what_grows(optimizer):
    allocates_nothing_that_grows("squared_error", optimizer=OPTIMIZERS[optimizer]())


@pytest.mark.parametrize("dropout", [0, 0.5])
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("activation", TRAINABLE)
def test_no_layer_allocates_what_grows(activation, normalization, dropout):
    allocates_nothing_that_grows(
        "squared_error",
        activation=activation,
        normalization=normalization,
        dropout=dropout,
        l1=0.1,
        max_grad_norm=1.0,
    )


def allocates_nothing_that_grows(
    case, weighted=False, kind="", activation="relu", optimizer=None, **options
):
    training_options = {
        name: options.pop(name) for name in ("l1", "max_grad_norm") if name in options
    }

    def peak_of_a_step(n, width):
        sizes = (16, width, width // 2)
        X, y, w = make_data(case, n, sizes, weighted)
        y = y.astype(kind or y.dtype)
        network = make_network(activation, sizes=sizes, **options)
        training = make_training(
            case, copy.copy(optimizer), network=network, l2=0.1, **training_options
        )
        work, scratch = Workspace(network, n), np.empty(network.n_weights)
        training.step(X, y, w, work, scratch)
        return peak_bytes(lambda: training.step(X, y, w, work, scratch))

    # NumPy itself buffers up to 8192 numbers of an array, fewer where the array is smaller: the smallest
    # array has as many. It grows from 64 KB to 1 MB.
    assert abs(peak_of_a_step(512, 512) - peak_of_a_step(128, 128)) < 32 * 1024


# ---- dropout


def test_dropout_does_not_disturb_the_order_of_the_rows():
    orders = []
    for dropout in (0.2, 0.7):
        training = make_training(network=make_network(dropout=dropout))
        run(training, 3)
        orders.append(training.order.tolist())
    assert orders[0] == orders[1]
    # one number is drawn for the masks before the rows are shuffled
    rng, order = np.random.RandomState(0), np.arange(N)
    rng.randint(2**31)
    for _ in range(3):
        order = shuffle(order, random_state=rng)
    assert orders[0] == order.tolist()


def test_without_dropout_nothing_is_drawn_for_it():
    training = make_training(network=make_network(normalization="batch"))
    assert training.rng.randint(10**6) == np.random.RandomState(0).randint(10**6)


@pytest.mark.parametrize("seed, same", [(0, True), (1, False)])
def test_the_seed_decides_about_the_masks(seed, same):
    results = []
    for number in (0, seed):
        network = make_network(dropout=0.5)
        training = make_training(network=network, seed=number, shuffle=False)
        run(training, 2)
        results.append(network.params)
    assert (results[0] == results[1]).all() == same


def test_each_step_has_a_mask_of_its_own():
    network = make_network(dropout=0.5)
    training, masks = make_training(network=network), []
    X, y, _ = make_data("squared_error")
    work, scratch = Workspace(network, N), np.empty(network.n_weights)
    for _ in range(3):
        training.step(X, y, None, work, scratch)
        masks.append(work.buffers[0].mask.copy())
    assert (masks[0] != masks[1]).any() and (masks[1] != masks[2]).any()
