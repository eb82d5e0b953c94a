# SPDX-License-Identifier: BSD-3-Clause
"""Losses of the error e = raw - y, and how hard each pulls."""

import matplotlib.pyplot as plt
import numpy as np

from sknumpynet.core import AbsoluteError, Huber, LogCosh, Quantile, SquaredError

e = np.linspace(-3, 3, 601)[:, np.newaxis]
y = np.zeros_like(e)
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.7), sharex=True)
for loss in (SquaredError(), AbsoluteError(), Huber(1.0), LogCosh(), Quantile(0.9)):
    gradient = np.empty_like(e)
    terms = loss.terms_and_gradient(y, e, gradient, np.empty_like(e))
    left.plot(e, terms, label=repr(loss).removesuffix("()"))
    right.plot(e, gradient)
left.set(title="$l$", xlabel="$e$ = raw $-$ y", ylim=(-0.1, 3.5))
right.set(title="$dl/draw$", xlabel="$e$ = raw $-$ y", ylim=(-2, 2))
figure.legend(
    *left.get_legend_handles_labels(),
    frameon=False,
    loc="outside lower center",
    ncols=3,
    fontsize=11,
)
