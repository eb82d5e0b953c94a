# SPDX-License-Identifier: BSD-3-Clause
"""Further callbacks for scikit-learn's callback protocol.

They are for ``set_callbacks`` (scikit-learn >= 1.9).
"""

from sknumpynet.callbacks.checkpoint import Checkpoint
from sknumpynet.callbacks.log_epochs import LogEpochs
from sknumpynet.callbacks.validation_monitor import ValidationMonitor

__all__ = ["Checkpoint", "LogEpochs", "ValidationMonitor"]
