# SPDX-License-Identifier: BSD-3-Clause
"""The rates of forty epochs of ten batches of twenty rows, by each schedule."""

import matplotlib.pyplot as plt

from sknumpynet.core import (
    Constant,
    Cosine,
    Exponential,
    InverseScaling,
    OneCycle,
    StepDecay,
    TrainingProgress,
    Warmup,
)

n_epochs, n_batches, n_rows = 40, 10, 200
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
panels = {
    "changed after an epoch, or never": (
        Constant(1.0),
        InverseScaling(1.0),
        StepDecay(1.0),
        Exponential(1.0),
    ),
    "changed in every step": (Cosine(1.0), OneCycle(1.0), Warmup("exponential", 0.1, rate=1.0)),
}
for ax, (title, schedules) in zip(axes, panels.items()):
    for schedule in schedules:
        rates = []
        for step in range(n_epochs * n_batches):
            epoch = step // n_batches
            rates.append(
                schedule(TrainingProgress(step, n_epochs * n_batches, epoch * n_rows, epoch))
            )
        epochs = [step / n_batches for step in range(len(rates))]
        ax.plot(epochs, rates, label=type(schedule).__name__)
    ax.set(xlabel="epoch", ylim=(0, 1.3))
    ax.set_title(title, fontsize=12)
    ax.legend(frameon=False, ncols=2, loc="upper center", fontsize=10)
axes[0].set_ylabel("rate / largest rate")
