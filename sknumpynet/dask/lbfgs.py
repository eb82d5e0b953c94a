# SPDX-License-Identifier: BSD-3-Clause
"""L-BFGS on a cluster: the search runs on the client, and the sums over rows on the workers.

An evaluation consists of a few plain tasks, whose results are added up in a fixed order. If a worker is lost,
Dask computes its rows again on another one.
"""

from __future__ import annotations

import numpy as np

from sknumpynet.core.training.lbfgs import Objective, Penalized
from sknumpynet.fitting.fit_network import fit_lbfgs
from sknumpynet.fitting.rollback import quiet
from sknumpynet.fitting.threads import limited_blas_threads


class ClusterObjective(Penalized):
    """The mean loss of rows on workers plus the penalty.

    Parameters
    ----------
    network : Network
        The network.
    loss : Loss
        The loss to minimise.
    data : ClusterData
        The rows, distributed over the workers.
    l2, l1 : float
        Strengths of the penalties.
    """

    def __init__(self, network, loss, data, l2, l1):
        super().__init__(network, data.total_weight, l2, l1)
        self.loss, self.cluster = loss, data.cluster
        threads = self.cluster.workers()
        self.groups = [
            group
            for share in data.shares
            for group in in_groups(share.blocks, threads.get(share.worker, 1))
        ]

    def mean_loss(self, params):
        cluster = self.cluster
        self.network.params[...] = params
        network = cluster.for_tasks(self.network, len(self.groups))
        parts = [
            cluster.submit(mean_loss_of, group, network, self.loss, self.total)
            for group in self.groups
        ]
        if network is self.network:
            return added(cluster.results(parts))
        return cluster.result(cluster.submit(added, parts))


def in_groups(blocks, n):
    """Return the blocks as at most ``n`` lists of neighbours."""
    n = min(n, len(blocks))
    return (
        [[blocks[i] for i in run] for run in np.array_split(np.arange(len(blocks)), n)] if n else []
    )


def mean_loss_of(blocks, network, loss, total):
    """Return the contribution of some blocks to the mean loss of all rows, and its gradient."""
    value, gradient = 0.0, np.zeros_like(network.params)
    for block in blocks:
        with quiet(), limited_blas_threads(block.n_rows, network):
            objective = Objective(
                network, loss, block.X, block.targets, block.sample_weight, 0.0, total=total
            )
            of_block, gradient_of_block = objective.mean_loss(network.params)
        value += of_block
        gradient += gradient_of_block
    return value, gradient


def added(parts):
    """Return the sums of values and of gradients, in the order of the parts."""
    value, gradient = parts[0][0], parts[0][1].copy()
    with quiet():
        for other, gradient_of_other in parts[1:]:
            value += other
            gradient += gradient_of_other
    return value, gradient


def fit_on_cluster(plan, data, monitor):
    """Train with L-BFGS until SciPy or the monitor ends the fit; return the result."""
    objective = ClusterObjective(monitor.network, plan.loss, data, plan.l2, plan.l1)
    return fit_lbfgs(plan, objective, data, monitor)
