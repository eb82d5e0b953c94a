# SPDX-License-Identifier: BSD-3-Clause
"""Going on with a network, in `partial_fit` or with `warm_start`, after parameters may have been set anew.

What is set takes effect with the next call, the optimizer keeping its memory; what would change the shape of
the vectors raises. The initial weights, the dtype and the random state are those of the first call.
"""

from __future__ import annotations

import numpy as np

from sknumpynet.core.training import Patience
from sknumpynet.fitting.plan import build_network, make_layers, make_optimizer, make_schedule

START_ANEW = "Or start anew: warm_start=False and fit"


def next_network(estimator, sizes, incremental):
    """Return the network to go on with: in `partial_fit` the same object, where no layer has changed."""
    fitted = estimator._network
    check_same_shape(estimator, sizes)
    layers = make_layers(estimator, sizes)
    if incremental and layers == fitted.layers:
        return fitted
    if _vectors(layers) != _vectors(fitted.layers):
        raise ValueError(
            "fit_intercept or normalization is not that of the network to go on with: set it back. "
            f"{START_ANEW}"
        )
    network = build_network(estimator, sizes, fitted.dtype, 0)
    network.restore((fitted.params, fitted.state))
    return network


def _vectors(layers):
    """Return what the layers keep in the network's vectors."""
    return [each for layer in layers for each in layer.shapes().items()]


def take_over(estimator, training, network, scale):
    """Let a training go on with that network and the estimator's parameters as they are now."""
    if network is not training.network:
        if network.is_random and not training.network.is_random:
            training.mask_rng = np.random.default_rng(training.rng.randint(2**31))
        training.network = network
    if training.loss != estimator.loss_function_:
        training.patience = Patience(np.inf)  # the best of another loss is no measure
    training.loss, training.loss_scale = estimator.loss_function_, scale
    training.optimizer.set_params(**make_optimizer(estimator).get_params())
    schedule = make_schedule(estimator)
    if training.schedule != schedule:
        training.schedule, training.slowdown = schedule, 1.0
        training.learning_rate = training.rate()


def check_same_shape(estimator, sizes):
    """Raise where the network to go on with is not the one that the parameters and data describe."""
    dense = estimator._network.dense
    fitted = [dense[0].fan_in, *(layer.fan_out for layer in dense)]
    if sizes == fitted:
        return
    if sizes[0] != fitted[0]:
        raise ValueError(
            f"X has {sizes[0]} features, but coefs_[0] takes {fitted[0]}. {START_ANEW}"
        )
    check_n_outputs(estimator, sizes[-1])
    raise ValueError(
        f"hidden_layer_sizes={estimator.hidden_layer_sizes!r} is not the shape of the network to go on "
        f"with, {tuple(fitted[1:-1])}: set hidden_layer_sizes back. {START_ANEW}"
    )


def check_n_outputs(estimator, n):
    """Raise where the network to go on with has another number of outputs."""
    n_outputs, loss = estimator._network.n_outputs, estimator._loss_and_link()[0]
    if n == n_outputs:
        return
    has = f"the network has {n_outputs} output{'s' * (n_outputs != 1)}"
    if {loss.n_raw(1), estimator.loss_function_.n_raw(1)} != {1}:
        raise ValueError(f"loss={estimator.loss!r} makes {n} columns of y, but {has}. {START_ANEW}")
    raise ValueError(
        f"y has {n} column{'s' * (n != 1)}, but {has}: give one column for each. {START_ANEW}"
    )
