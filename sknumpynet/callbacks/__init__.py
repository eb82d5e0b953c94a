# SPDX-License-Identifier: BSD-3-Clause
"""Additional callbacks for scikit-learn's callback protocol.

They are passed to ``set_callbacks`` (scikit-learn >= 1.9).
"""

from sknumpynet.callbacks.checkpoint import Checkpoint
from sknumpynet.callbacks.log_epochs import LogEpochs
from sknumpynet.callbacks.validation_monitor import ValidationMonitor

__all__ = ["Checkpoint", "LogEpochs", "ValidationMonitor"]
