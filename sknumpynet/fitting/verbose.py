# SPDX-License-Identifier: BSD-3-Clause
"""The output of ``verbose``: one line that is updated in place on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time


def make_log(verbose, max_epochs):
    """Return the function to call with the monitor after each epoch, or None for no output."""
    if not verbose:
        return None
    if verbose is True or verbose == 1:
        stream = sys.stdout
        if hasattr(stream, "isatty") and stream.isatty():
            return ProgressLine(max_epochs)
    return print_lines


def print_lines(monitor, event):
    """Print the same lines as scikit-learn: after an epoch, or a message at the end."""
    if isinstance(event, str):
        print(event)
        return
    history = monitor.history
    print(f"Iteration {event}, loss = {history.loss[-1]:.8f}")
    if history.score:
        print(f"Validation score: {history.score[-1]:f}")


class ProgressLine:
    """One line with epoch, losses, rate and the remaining time if all epochs are needed."""

    def __init__(self, max_epochs):
        self.max_epochs = max_epochs
        self.started = time.perf_counter()
        self.width = 0

    def __call__(self, monitor, event):
        if isinstance(event, str):
            self._write(event)
            self.end()
            return
        history = monitor.history
        left = (time.perf_counter() - self.started) / event * (self.max_epochs - event)
        parts = [f"epoch {event}/{self.max_epochs}", f"loss {history.loss[-1]:.6f}"]
        if history.score:
            parts.append(f"validation loss {history.validation_loss[-1]:.6f}")
            parts.append(f"score {history.score[-1]:.4f}")
        if not math.isnan(history.learning_rate[-1]):  # L-BFGS has none
            parts.append(f"rate {history.learning_rate[-1]:.3g}")
        parts.append(f"at most {left:.0f} s left")
        self._write("  ".join(parts))

    def end(self):
        """Finish the line, and begin the next one."""
        if self.width:
            print(flush=True)
            self.width = 0

    def _write(self, line):
        print(f"\r{line:{self.width}}", end="", flush=True)
        self.width = len(line)
