# SPDX-License-Identifier: BSD-3-Clause
"""Sums over ranks, for training on several machines; with a single rank there is nothing to add.

Each rank holds some of the rows, and all have the same parameters. The gradient of a batch is the sum of the
gradients of its parts; with the same sum, all ranks make the same step.
"""

from __future__ import annotations

from sknumpynet.core.arrays import Array


class Collective:
    """The ranks that train one network together; this class is for a single rank.

    Attributes
    ----------
    rank : int
        Number of this rank, from 0.
    size : int
        Number of ranks.
    """

    rank = 0
    size = 1

    def sum_in_place(self, vector: Array) -> None:
        """Replace ``vector`` by the sum of the vectors of all ranks, bit-identical on all of them.

        Parameters
        ----------
        vector : ndarray of shape (n,)
            C-contiguous and writable, with the same length and dtype on all ranks.
        """


ALONE = Collective()
