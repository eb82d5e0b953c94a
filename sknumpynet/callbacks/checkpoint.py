# SPDX-License-Identifier: BSD-3-Clause
"""A callback that saves the state of a fit to a file, so that it can be resumed (scikit-learn >= 1.9)."""

from __future__ import annotations

import os
import time
from numbers import Integral, Real
from pathlib import Path

from sknumpynet._compat import Interval, validate_parameters
from sknumpynet.callbacks.checkpoint_file import Arrays, part_of, read_checkpoint, write_checkpoint
from sknumpynet.fitting.fingerprint import VALUES


class Checkpoint:
    """Saves the training state to a file at intervals, so that an interrupted fit can be resumed.

    Call `fit` again with the same parameters and data: it finds the file, resumes after the last epoch
    written, and ends with the same weights as an uninterrupted fit, bit for bit. The other callbacks see the
    remaining epochs, with their usual numbers. The file is removed when a fit is complete; it is kept after
    Ctrl-C and after an error.

    With :class:`~sknumpynet.TabularMLPClassifier` and :class:`~sknumpynet.TabularMLPRegressor`, which are
    trained in cycles, read "cycle" for "epoch" here: a row of their ``history_``.

    "The same" means: all parameters but ``verbose``, with functions by name and code, arrays by value and a
    RandomState by its state; and shape and dtype of the data, of their weights and of validation data. Of
    their values, 64 rows of X, y and weights are compared to three digits, which finds a split that was drawn
    anew; with tables, all labels or 64 targets, and no values of X. On a cluster no values are compared.
    Other objects that a function refers to are not compared either.

    Parameters
    ----------
    path : str or path-like
        The file. It is written as ``path`` with ".part" added and then renamed, so that it is complete at any
        time; a partial file of a killed process is removed by the next write and at the end of a fit. The
        file is a zip of NumPy arrays and a JSON text, with a digest of both, and is read without pickle.
    every : int, default=1
        Number of epochs between two writes, counted from the first epoch of the fit; 1 or more.
    seconds : float, default=0
        Minimum time between two writes; 0 or more. A write takes a few milliseconds, as it waits for the
        disk, and more for large networks.

    Raises
    ------
    ValueError
        In `fit`, before the first epoch: if the file is of a fit with other parameters or data, is damaged,
        or is not a checkpoint; if a parameter is invalid; if ``path`` is a folder, or its folder does not
        exist; if the estimator is inside a meta-estimator, whose clones would share the file; or with
        ``solver='lbfgs'``. After the first epoch: if a custom optimizer or schedule has attributes
        that are neither arrays nor plain values (None, bool, int, float, str; list, tuple and dict of these),
        and no ``get_state`` and ``set_state`` that convert them.
    OSError
        In `fit`, if the file cannot be read or written: the disk is full, for instance. The previous file
        is kept.

    Notes
    -----
    If the process is killed at the very end of an epoch, after the file was written, a callback that stops
    the fit may not have been called for this epoch: it is called after the next one.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import Checkpoint, NumpyMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> checkpoint = Checkpoint("iris.checkpoint", every=10)
    >>> model = NumpyMLPClassifier(random_state=0).set_callbacks(checkpoint)  # doctest: +SKIP
    >>> model.fit(X, y).n_iter_  # doctest: +SKIP
    200
    """

    _parameter_constraints = {
        "path": [str, os.PathLike],
        "every": [Interval(Integral, 1, None, closed="left")],
        "seconds": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, path, every=1, seconds=0.0):
        self.path = path
        self.every = every
        self.seconds = seconds

    def setup(self, estimator, context):
        """Raise an error for invalid parameters before the fit begins."""
        validate_parameters(self._parameter_constraints, self.__getstate__(), "Checkpoint")
        name = os.fspath(self.path)
        if context.parent is not None or hasattr(estimator, "_parent_callback_ctx"):
            raise ValueError(
                "Checkpoint cannot be used inside a meta-estimator, whose clones would share "
                f"path={name!r}: fit the network by itself"
            )
        if getattr(estimator, "solver", None) == "lbfgs":
            raise ValueError(
                "Checkpoint needs a stochastic solver; solver='lbfgs' keeps its state in SciPy"
            )
        path = Path(self.path)
        if not path.absolute().parent.is_dir():
            raise ValueError(f"path={name!r} is in a folder that does not exist: create it first")
        for file in (path, part_of(path)):
            if file.exists() and not file.is_file():
                what = "a folder" if file.is_dir() else "not a regular file"
                raise ValueError(
                    f"{os.fspath(file)!r} is {what}, but path={name!r} must be the name of a file that can "
                    "be written, also with '.part' added: use another path"
                )
        self._written, self._looked_at = time.monotonic(), False

    def resume(self, fingerprint, get_state):
        """Return the state in the file if there is one, and it is of the same fit; else None."""
        self._get_state, self._fingerprint = get_state, fingerprint
        if not Path(self.path).exists():
            return None
        kept, state = read_checkpoint(self.path)
        names = kept.keys() | fingerprint.keys()
        different = {name for name in names if kept.get(name) != fingerprint.get(name)}
        if VALUES not in kept or different != {VALUES}:  # data of other shapes have other values
            different.discard(VALUES)
        if different:
            raise ValueError(
                f"the checkpoint {os.fspath(self.path)!r} is of another fit: {', '.join(sorted(different))} "
                "differ. Give the same parameters and data, or another path, or remove the file"
            )
        return state

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Write after an epoch."""
        if context.task_name not in ("epoch", "cycle"):
            return
        now = time.monotonic()
        is_due = (context.task_id + 1) % self.every == 0 and now - self._written >= self.seconds
        if is_due:
            self._write(self._get_state())
            self._written = now
        elif not self._looked_at:  # fail now, not after hours, if something cannot be written
            Arrays().encoded(self._get_state())
        self._looked_at = True

    def _write(self, state):
        write_checkpoint(self.path, self._fingerprint, state)

    def end(self):
        """Remove the file, and a partial file of a killed process: the fit is complete."""
        Path(self.path).unlink(missing_ok=True)
        part_of(self.path).unlink(missing_ok=True)

    def teardown(self, estimator, context):
        """Release the training."""
        self._get_state = None

    def __getstate__(self):
        return {"path": self.path, "every": self.every, "seconds": self.seconds}
