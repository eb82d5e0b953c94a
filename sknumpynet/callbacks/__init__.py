# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks that scikit-learn's own lack, in its protocol.

They are for ``set_callbacks`` (scikit-learn >= 1.9).
"""

from sknumpynet.callbacks.checkpoint import Checkpoint
from sknumpynet.callbacks.log_epochs import LogEpochs
from sknumpynet.callbacks.validation_monitor import ValidationMonitor

__all__ = ["Checkpoint", "LogEpochs", "ValidationMonitor"]
