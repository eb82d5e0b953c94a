# SPDX-License-Identifier: BSD-3-Clause
"""Combine networks of the same shape into one network of members.

Dropout is not part of the shape: a member without it has the rate 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from sknumpynet.core.layers import Dropout, Layer
from sknumpynet.core.layers.members import MemberDropout
from sknumpynet.core.network.network import Network


def shape_of(layers: Sequence[Layer]) -> tuple[list[Layer], dict[int, Dropout]]:
    """Return the layers without dropout, and the dropout layers by the number of the next layer."""
    shape: list[Layer] = []
    dropouts: dict[int, Dropout] = {}
    for layer in layers:
        if isinstance(layer, Dropout):
            dropouts[len(shape)] = layer
        else:
            shape.append(layer)
    return shape, dropouts


def side_by_side(networks: Sequence[Network]) -> Network:
    """Return a network of members with copies of the parameters of the networks.

    Raises
    ------
    ValueError
        If the networks differ in shape or dtype.

    Examples
    --------
    >>> from sknumpynet.core import Dense, Network
    >>> networks = [Network([Dense(2, 4), "tanh", Dense(4, 1)], rng=seed) for seed in range(3)]
    >>> side_by_side(networks).params.shape
    (3, 17)
    """
    first = networks[0]
    shapes, dropouts = zip(*(shape_of(network.layers) for network in networks))
    for network, shape in zip(networks, shapes):
        if shape != shapes[0] or network.dtype != first.dtype or network.lead:
            raise ValueError(
                f"networks must be of one shape and dtype; got {first!r} and {network!r}"
            )
    layers: list[Layer] = []
    for place, layer in enumerate([*shapes[0], None]):
        here = [each[place] for each in dropouts if place in each]
        if len({dropout.pool for dropout in here}) > 1:
            raise ValueError(f"dropout must be with a pool in all networks or in none; got {here}")
        rates = [each[place].rate if place in each else 0.0 for each in dropouts]
        if any(rates):
            layers.append(MemberDropout(rates, here[0].pool))
        if layer is not None:
            layers.append(layer)
    members = Network(
        layers,
        dtype=first.dtype,
        n_features=first.n_features,
        groups=first.groups,
        n_members=len(networks),
        rng=0,
    )
    for i, network in enumerate(networks):
        members.params[i], members.running_stats[i] = network.params, network.running_stats
    return members
