# SPDX-License-Identifier: BSD-3-Clause
"""Training: steps on batches, epochs, and when to stop.

``epochs`` has the training loop, ``lbfgs`` the alternative for small data.
"""

from sknumpynet.core.training.batches import Batches, HeldBatches
from sknumpynet.core.training.collective import Collective
from sknumpynet.core.training.epochs import Training
from sknumpynet.core.training.history import History, Patience
from sknumpynet.core.training.lbfgs import LbfgsResult, Objective, Penalized, Stop, minimize_lbfgs
from sknumpynet.core.training.penalty import Penalty, clip_norm
from sknumpynet.core.training.side_by_side import SideBySide

__all__ = [
    "Batches",
    "Collective",
    "HeldBatches",
    "History",
    "LbfgsResult",
    "Objective",
    "Patience",
    "Penalized",
    "Penalty",
    "SideBySide",
    "Stop",
    "Training",
    "clip_norm",
    "minimize_lbfgs",
]

# Pickles refer to these module names, so they stay the same when files move.
for _name in __all__:
    globals()[_name].__module__ = __name__
