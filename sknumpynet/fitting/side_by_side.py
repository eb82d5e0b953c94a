# SPDX-License-Identifier: BSD-3-Clause
"""Fits of networks of the same shape, trained together in packs; fits that are done leave the pack.

Each fit has its own plan, data, monitor and training, and has the same result as with `fit_network`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sknumpynet.core.activations.custom import Function
from sknumpynet.core.layers.normalization import Normalization
from sknumpynet.core.network.members import shape_of
from sknumpynet.core.options import Options, is_foreign
from sknumpynet.core.schedules.decay import Custom
from sknumpynet.core.training.side_by_side import SideBySide
from sknumpynet.fitting.fit_network import batch_size_of, outcome_of_epochs, train_epochs
from sknumpynet.fitting.rollback import warn_of_interrupt
from sknumpynet.fitting.threads import limited_blas_threads

# Limits for a pack to fit into the processor's cache: batch rows times units of the widest layer, rows times
# inputs, and parameters, over all members. Larger networks are trained faster one after another.
PACK = 1 << 15
PACK_INPUTS = 1 << 20
PACK_PARAMS = 1 << 17
# Fewer networks are trained as fast one after another.
SMALLEST = 3


@dataclass(eq=False)
class Fit:
    """A fit before training.

    Attributes
    ----------
    plan, data, monitor, training
        As for `fit_network`.
    batch_size : int
        Rows of a batch.
    error : Exception or None
        The error if it failed.
    """

    plan: Any
    data: Any
    monitor: Any
    training: Any
    batch_size: int = 0
    error: Any = None


def can_be_packed(plan, data):
    """Return whether a network can be trained in a pack."""
    if plan.is_lbfgs or plan.max_time or plan.verbose or not isinstance(data.X, np.ndarray):
        return False
    if any(isinstance(layer, Normalization) for layer in plan.layers):
        # gradients of biases before a normalisation are rounding errors, which Adam turns into full steps
        return False
    parts = with_parts([plan.loss, plan.optimizer, plan.schedule, *plan.layers])
    return not any(is_foreign(part) or isinstance(part, Function | Custom) for part in parts)


def with_parts(things):
    """Return the objects, and the objects among their options."""
    inside = [
        each for thing in things for each in vars(thing).values() if isinstance(each, Options)
    ]
    return [*things, *with_parts(inside)] if inside else list(things)


def packs_of(fits):
    """Return lists of fits to train together, with a single item for fits that are trained alone."""
    by_shape = {}
    for fit in fits:
        fit.training.patience = fit.monitor.patience
        fit.batch_size = min(fit.plan.batch_size or 200, fit.data.n_rows)
        network, optimizer = fit.training.network, fit.training.optimizer
        shape = tuple(shape_of(network.layers)[0])
        key = shape, network.dtype, fit.plan.loss, type(optimizer), fit.data.n_rows, fit.batch_size
        weighted = fit.data.sample_weight is not None
        equal = by_shape.setdefault((*key, weighted), {})
        equal.setdefault(optimizer, []).append(fit)  # equal optimizers next to each other
    packs = []
    for equal in by_shape.values():
        members = [fit for some in equal.values() for fit in some]
        n = -(-len(members) // pack_size(members[0].batch_size, members[0].training.network))
        if len(members) < SMALLEST * n:
            n = len(members)
        packs += [members[len(members) * i // n : len(members) * (i + 1) // n] for i in range(n)]
    return packs


def pack_size(batch_size, network):
    """Return how many networks of this shape to train together."""
    sizes = (
        PACK // (batch_size * network.widest_output),
        PACK_INPUTS // (batch_size * network.fan_in),
        PACK_PARAMS // len(network.params),
    )
    return max(1, min(sizes))


def fit_pack(fits):
    """Train the networks of the fits together; fits that fail get an `error`.

    Returns
    -------
    results : list of FitResult or None
        The results; None for fits that failed.
    interrupted : bool
        Whether Ctrl-C has ended it.
    """
    first = fits[0]
    with limited_blas_threads(first.batch_size, first.training.network):
        interrupted = _train(fits)
        return [_outcome(fit) for fit in fits], interrupted


def _train(fits):
    """Train epoch by epoch until all monitors have ended; return whether Ctrl-C was pressed."""
    first = fits[0]
    pack = SideBySide(
        [fit.training for fit in fits],
        first.data.X,
        first.data.targets,
        _of_all(fits, "sample_weight"),
        _of_all(fits, "rows"),
        first.batch_size,
    )
    for fit in fits:
        batch_size_of(fit.plan, fit.data.n_rows)  # which may warn
        fit.monitor.start_clock()
    live = fits
    try:
        while len(live) >= SMALLEST:
            for i, (fit, record) in enumerate(zip(live, pack.epoch())):
                _end_epoch(pack, i, fit, record)
            chosen = [i for i, fit in enumerate(live) if not (fit.monitor.done or fit.error)]
            if len(chosen) < len(live):
                pack.keep(chosen if len(chosen) >= SMALLEST else [])
                live = [live[i] for i in chosen]
        for i, fit in enumerate(live):
            if any(each.monitor.interrupted for each in live[:i]):
                fit.monitor.interrupted = True
            else:
                _train_on(fit)
    except KeyboardInterrupt:
        pack.keep([])
        for fit in live:
            fit.monitor.interrupted = not fit.monitor.done
        warn_of_interrupt()
        return True
    finally:
        for fit in fits:
            fit.monitor.put_back_best()
    return any(fit.monitor.interrupted for fit in fits)


def _of_all(fits, name):
    """Return the arrays of this name, or None if the fits have none."""
    arrays = [getattr(fit.data, name) for fit in fits]
    return None if any(array is None for array in arrays) else arrays


def _end_epoch(pack, i, fit, record):
    try:
        if fit.monitor.validation is not None:
            pack.write_back(i)
        fit.monitor.epoch_done(record, fit.training.slow_down)
    except Exception as error:  # from the score of this member only
        fit.error = error


def _train_on(fit):
    """Continue a fit that has left the pack on its own."""
    try:
        train_epochs(fit.training, fit.data, fit.monitor, fit.batch_size)
    except Exception as error:
        fit.error = error


def _outcome(fit):
    if fit.error is None:
        try:
            return outcome_of_epochs(fit.plan, fit.training, fit.data, fit.monitor, fit.batch_size)
        except Exception as error:
            fit.error = error
    return None
