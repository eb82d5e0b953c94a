# SPDX-License-Identifier: BSD-3-Clause
"""A callback that writes a fit to a file, from which it goes on after a crash (scikit-learn >= 1.9)."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from pathlib import Path

# What a fit that goes on takes from its own call, not from the file: so it may hold any function.
FROM_THE_CALL = ("network", "loss", "schedule", "log")


class Checkpoint:
    """Writes the training to a file every so often, so that a fit that was killed goes on from there.

    The fit is started again by the same call with the same parameters and data: it finds the file, goes on
    after the last epoch written, and ends with the weights that it would have had, bit by bit. The file is
    removed when a fit has come to its end. It is a pickle: load none that others have written.

    "The same" means: all parameters but ``verbose``, with functions by name and code, arrays by value and a
    RandomState by its state; and shape and dtype of the data, of their weights and of validation data. The
    values of the data, and what a function looks up elsewhere, are not compared.

    Parameters
    ----------
    path : str or path-like
        The file. It is written beside and then renamed, so that it is whole at any time.
    every : int, default=1
        Number of epochs from one writing to the next.
    seconds : float, default=0
        Smallest time between two writings.

    Raises
    ------
    ValueError
        In `fit`, if the file is of a fit with other parameters or data, if the estimator is inside a
        meta-estimator, whose clones would share the file, or with ``solver='lbfgs'``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import Checkpoint, NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> checkpoint = Checkpoint("training.pickle", every=10)
    >>> model = NumpyMLPClassifier(random_state=0).set_callbacks(checkpoint)  # doctest: +SKIP
    >>> model.fit(X, y).n_iter_  # doctest: +SKIP
    200
    """

    def __init__(self, path, every=1, seconds=0.0):
        self.path = path
        self.every = every
        self.seconds = seconds

    def setup(self, estimator, context):
        """Refuse meta-estimators."""
        if context.parent is not None or hasattr(estimator, "_parent_callback_ctx"):
            raise ValueError(
                "Checkpoint cannot be used inside a meta-estimator, whose clones would share "
                f"path={os.fspath(self.path)!r}: fit the network by itself"
            )
        if estimator.solver == "lbfgs":
            raise ValueError(
                "Checkpoint needs a stochastic solver; solver='lbfgs' keeps its state in SciPy"
            )
        folder = Path(self.path).absolute().parent
        if not folder.is_dir():
            raise ValueError(
                f"path={os.fspath(self.path)!r} is in a folder that does not exist: make it"
            )
        self._written = time.monotonic()

    def resume(self, training, fingerprint):
        """Set the training to the state in the file, and return whether there is one, of the same fit."""
        self._training, self._fingerprint = training, fingerprint
        path = Path(self.path)
        if not path.exists():
            return False
        with path.open("rb") as file:
            kept = pickle.load(file)
        different = sorted(
            name for name in fingerprint if kept["fingerprint"].get(name) != fingerprint[name]
        )
        if different:
            raise ValueError(
                f"the checkpoint {os.fspath(self.path)!r} is of another fit: {', '.join(different)} "
                "differ. Give the same parameters and data, or another path, or remove the file"
            )
        vars(training).update(kept["training"])
        training.network.restore(kept["network"])
        return True

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Write after an epoch; remove the file at the end of the fit."""
        if context.task_name != "epoch":
            if not getattr(estimator, "_interrupted", False):
                Path(self.path).unlink(missing_ok=True)
            return
        epoch = len(self._training.history.loss)
        now = time.monotonic()
        if epoch % self.every == 0 and now - self._written >= self.seconds:
            self._write()
            self._written = now

    def _write(self):
        path = Path(self.path)
        state = self._training.__getstate__()
        kept = {
            "fingerprint": self._fingerprint,
            "network": self._training.network.snapshot(),
            "training": {name: value for name, value in state.items() if name not in FROM_THE_CALL},
        }
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
            try:
                pickle.dump(kept, file, protocol=pickle.HIGHEST_PROTOCOL)
            except BaseException:
                os.unlink(file.name)
                raise
        os.replace(file.name, path)

    def teardown(self, estimator, context):
        """Let go of the training."""
        self._training = None

    def __getstate__(self):
        return {"path": self.path, "every": self.every, "seconds": self.seconds}
