# SPDX-License-Identifier: BSD-3-Clause
"""The initial values of a network: each layer sets its own, and members are drawn one by one."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from sknumpynet.core.initializers import Initializer
from sknumpynet.core.layers.base import RUNNING_STATS
from sknumpynet.core.network.workspace import bind_views, places
from sknumpynet.core.wording import counted


def lead_of(n_members: int | None) -> tuple[int, ...]:
    """Return the axis for a number of members, or raise ValueError; no axis for None."""
    if n_members is None:
        return ()
    if not isinstance(n_members, Integral) or isinstance(n_members, bool) or n_members < 1:
        raise ValueError(f"n_members must be None or an integer above 0; got {n_members!r}")
    return (int(n_members),)


def fill(
    network: Any, initializer: Initializer | None, rng: Any, biases: Initializer | None
) -> None:
    """Set the initial values of all parameters and running statistics, for members one by one."""
    layers, order = network.layers, network.order
    vectors = network.params, network.running_stats
    if not network.lead:
        _reset(layers, _source(rng), initializer, biases)
    else:
        for source, params, stats in zip(sources_of(rng, network.lead[0]), *vectors, strict=True):
            bind_views(layers, params, order)
            bind_views(layers, stats, (RUNNING_STATS,))
            _reset(layers, source, initializer, biases)
        bind_views(layers, vectors[0], order)
        bind_views(layers, vectors[1], (RUNNING_STATS,))
    _check_filled(layers, zip(vectors, (order, (RUNNING_STATS,))))


def _source(rng: Any) -> Any:
    return rng if hasattr(rng, "uniform") else np.random.default_rng(rng)


def sources_of(rng: Any, n_members: int) -> list[Any]:
    """Return a generator for each member: the same one for all, or one for each."""
    if not isinstance(rng, list | tuple):
        return [_source(rng)] * n_members
    if len(rng) != n_members:
        raise ValueError(
            f"rng lists {counted(len(rng), 'generator')}; give one, or {n_members}, one for each member"
        )
    return [_source(each) for each in rng]


def _reset(layers: Iterable[Any], rng: Any, initializer: Any, biases: Any) -> None:
    for layer in layers:
        layer.reset_parameters(rng, initializer or layer.default_initializer, biases)


def _check_filled(layers: list[Any], vectors: Iterable[tuple[Any, Any]]) -> None:
    """Raise ValueError if a layer has not set its parameters, which are then still NaN."""
    for vector, groups in vectors:
        if not np.isnan(vector).any():
            continue
        for layer, name, piece, _ in places(layers, groups):
            if np.isnan(vector[..., piece]).any():
                raise ValueError(
                    f"{layer!r}: {name} has no initial values. reset_parameters must set it in "
                    f"place, as self.{name}[...] = ... does"
                )
