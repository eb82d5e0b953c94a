# SPDX-License-Identifier: BSD-3-Clause
"""Sums over ranks: what training needs of other machines, and the sum over one, which is nothing.

Each rank holds some of the rows, and all have the same parameters. The gradient of a batch is the sum of the
gradients of its parts, so that with the same sum all ranks take the same step.
"""

from __future__ import annotations

from sknumpynet.core.arrays import Array


class Collective:
    """The ranks that train one network together; this class is a single one.

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
        """Replace ``vector`` by the sum of the vectors of all ranks, the same on all to the last bit.

        Parameters
        ----------
        vector : ndarray of shape (n,)
            C-contiguous and writable, of one length and dtype on all ranks.
        """


ALONE = Collective()
