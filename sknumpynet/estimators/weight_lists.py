# SPDX-License-Identifier: BSD-3-Clause
"""The lists ``coefs_`` and ``intercepts_``: assigning to an item writes into the network."""

from __future__ import annotations

import numpy as np

from sknumpynet.core.wording import counted


class WeightList(list):
    """A list of views into a network's parameters, of fixed length and shapes.

    Reading an item gives the view; ``weights[i] = array`` copies the array into it after a check of its
    shape, as does assigning a slice.
    """

    def __init__(self, name, network, views):
        super().__init__(views(network))
        self._name = name
        self._network = network
        self._views = views

    def __setitem__(self, index, value):
        indices = range(len(self))[index]
        if isinstance(indices, int):
            indices, value = [indices], [value]
        self.assign(dict(zip(indices, check_length(self._name, value, len(indices)), strict=True)))

    def assign(self, arrays):
        """Copy each array of the dict into the view with that index, all or none."""
        checked = {i: self._check(i, array) for i, array in arrays.items()}
        if not self._network.params.flags.writeable:
            self._network.make_writable()
            super().__setitem__(slice(None), self._views(self._network))
        for i, array in checked.items():
            self[i][...] = array

    def _check(self, i, array):
        array = np.asarray(array)
        if array.shape != self[i].shape:
            raise ValueError(
                f"{self._name}[{i}] has shape {self[i].shape}; got an array of shape {array.shape}. The "
                "shapes follow from hidden_layer_sizes and the data: to change them, fit again"
            )
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{self._name}[{i}] must hold real numbers; got dtype {array.dtype}")
        if self._name == "intercepts_" and not self._network.dense[i].bias and array.any():
            raise ValueError(
                f"{self._name}[{i}] must be zeros: the network has no intercepts. Set fit_intercept=True "
                "and fit again"
            )
        return array

    def _fixed(self, *args, **kwargs):
        raise TypeError(
            f"{self._name} has one array per layer and cannot grow or shrink; assign to its items"
        )

    append = extend = insert = pop = remove = clear = sort = reverse = _fixed
    __delitem__ = __iadd__ = __imul__ = _fixed

    def __reduce__(self):
        return list, ([np.array(view) for view in self],)


def check_length(name, value, n):
    """Return ``value`` as a list of ``n`` items, or raise ValueError."""
    if not np.iterable(value):
        raise TypeError(f"{name} must be a list of arrays; got {value!r}")
    value = list(value)
    if len(value) != n:
        raise ValueError(f"{name} needs {counted(n, 'array')} here; got {len(value)}")
    return value


def weight_views(network):
    """Return the W of each layer."""
    return [layer.W for layer in network.dense]


def bias_views(network):
    """Return the b of each layer; unused zeros if the layers have none."""
    return [
        layer.b if layer.bias else np.zeros(layer.fan_out, network.dtype) for layer in network.dense
    ]
