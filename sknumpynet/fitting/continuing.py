# SPDX-License-Identifier: BSD-3-Clause
"""Continue training a network, in `partial_fit` or with `warm_start`, after parameters may have changed.

Changed parameters take effect in the next call, and the optimizer keeps its state. Parameters that would
change the shape of the vectors raise an error. Initial weights, dtype and random state are those of the first
call.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from sknumpynet.core.options import copied
from sknumpynet.core.training.history import Patience
from sknumpynet.core.wording import counted

START_ANEW = "Or start over: warm_start=False and fit"


def network_to_go_on_with(model, plan, incremental):
    """Return the network to continue: in `partial_fit` the same object, if no layer has changed."""
    network = model.network
    _check_same_shape(model, plan)
    if incremental and list(plan.layers) == network.layers:
        network.make_writable()
        return network
    if _vectors(plan.layers) != _vectors(network.layers):
        raise ValueError(
            "fit_intercept or normalization differs from the network to continue: set it back. "
            f"{START_ANEW}"
        )
    other = replace(plan, dtype=network.dtype).network(0)
    other.restore(network.snapshot())
    return other


def training_to_go_on_with(training, network, plan, rng):
    """Return a training with the plan's options and the state of an earlier one, whose arrays it shares.

    The earlier training does not change, except for the contents of these arrays. If the class of the
    optimizer differs, its state cannot be used: None.
    """
    if training is None or type(training.optimizer) is not type(plan.optimizer):
        return None
    other = copied(training)
    other.rng = rng
    other.progress, other.patience = copied(training.progress), copied(training.patience)
    if network is not training.network:
        other.network = network
        if network.is_random and not training.network.is_random:
            other.draw_mask_rng()
    if network.is_random:
        other.mask_rng = copy.deepcopy(other.mask_rng)
    if training.loss != plan.loss:
        other.patience = Patience(np.inf)  # values of different losses cannot be compared
    other.loss = plan.loss
    other.optimizer = training.optimizer.share_state()
    other.optimizer.set_params(**plan.optimizer.get_params())
    vars(other).update(plan.training_options())
    if training.schedule != plan.schedule:
        other.schedule, other.plateau_factor = plan.schedule, 1.0
        other.learning_rate = other.rate()
    return other


@contextmanager
def put_back_on_failure(arrays):
    """Restore the contents of the arrays if the block raises."""
    before = [(array, array.copy()) for array in arrays if array.flags.writeable]
    try:
        yield
    except BaseException:
        for array, content in before:
            array[...] = content
        raise


def _vectors(layers):
    """Return the parameters and statistics that the layers have in the network's vectors."""
    return [each for layer in layers for each in layer.shapes().items()]


def _check_same_shape(model, plan):
    """Raise if the network to continue does not match the parameters and the data."""
    sizes, dense = list(plan.sizes), model.network.dense
    fitted = [dense[0].fan_in, *(layer.fan_out for layer in dense)]
    if sizes == fitted:
        return
    if sizes[0] != fitted[0]:
        raise ValueError(
            f"X has {counted(sizes[0], 'feature')}, but coefs_[0] takes {fitted[0]}. {START_ANEW}"
        )
    check_n_outputs(model, plan, sizes[-1])
    raise ValueError(
        f"hidden_layer_sizes={plan.parameters['hidden_layer_sizes']!r} is not the shape of the network to "
        f"continue, {tuple(fitted[1:-1])}: set hidden_layer_sizes back. {START_ANEW}"
    )


def check_n_outputs(model, plan, n):
    """Raise if the network to continue has a different number of outputs."""
    n_outputs = model.network.n_outputs
    if n == n_outputs:
        return
    has = f"the network has {counted(n_outputs, 'output')}"
    if {plan.loss.n_outputs_for(1), model.loss.n_outputs_for(1)} != {1}:
        raise ValueError(
            f"loss={plan.parameters['loss']!r} needs {counted(n, 'output')}, but {has}. {START_ANEW}"
        )
    raise ValueError(
        f"y has {counted(n, 'column')}, but {has}: give one column for each. {START_ANEW}"
    )
