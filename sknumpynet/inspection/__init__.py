# SPDX-License-Identifier: BSD-3-Clause
"""Looking inside a network.

Every number of one training step, and hidden layers as features.
"""

from sknumpynet.inspection.explain_step import StepExplanation, explain_step
from sknumpynet.inspection.hidden_activations import HiddenActivations

__all__ = ["HiddenActivations", "StepExplanation", "explain_step"]
