# SPDX-License-Identifier: BSD-3-Clause
"""Plots of networks and of their training, in the style of scikit-learn's displays.

matplotlib is imported only when something is drawn.
"""

from sknumpynet.displays.activations import ActivationsDisplay
from sknumpynet.displays.animation import TrainingAnimation, animate_training
from sknumpynet.displays.learning_rate import LearningRateDisplay, find_learning_rate
from sknumpynet.displays.loss_curve import LossCurveDisplay
from sknumpynet.displays.network import NetworkDisplay
from sknumpynet.displays.weights import WeightsDisplay

__all__ = [
    "ActivationsDisplay",
    "LearningRateDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "TrainingAnimation",
    "WeightsDisplay",
    "animate_training",
    "find_learning_rate",
]
