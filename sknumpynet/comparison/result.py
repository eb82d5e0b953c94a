# SPDX-License-Identifier: BSD-3-Clause
"""The result of a comparison: a table to print, a DataFrame, or a plot of both loss curves."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknumpynet.comparison.display import ComparisonDisplay
from sknumpynet.comparison.wording import OURS, SKLEARN, _in_words, _line, _magnitude
from sknumpynet.core.wording import counted


@dataclass(frozen=True)
class FitResult:
    """Results of one of the two networks.

    Attributes
    ----------
    estimator : estimator
        The fitted network.
    score : float
        The score on the test rows: accuracy or R^2.
    fit_time, predict_time : float
        The shortest time that a ``fit`` on the training rows and a ``predict`` of the test rows
        took, in seconds.
    pickle_size : int
        Length of ``pickle.dumps(estimator)``, in bytes.
    """

    estimator: Any
    score: float
    fit_time: float
    predict_time: float
    pickle_size: int

    @property
    def n_iter(self) -> int:
        """Number of epochs, or of iterations of L-BFGS."""
        return int(self.estimator.n_iter_)

    @property
    def loss(self) -> float:
        """The loss at the end of the fit."""
        return float(self.estimator.loss_)

    @property
    def loss_curve(self) -> Any:
        """The loss after each epoch, shape (n_iter,); None for L-BFGS, which keeps no curve."""
        curve = getattr(self.estimator, "loss_curve_", None)
        return None if curve is None or len(curve) == 0 else np.asarray(curve, dtype=np.float64)


@dataclass(frozen=True, repr=False)
class Comparison:
    """A network of this package and scikit-learn's: the result of :func:`compare_with_sklearn`.

    Attributes
    ----------
    name : str
        The heading of the table and of the plot.
    score_name : str
        ``"accuracy"`` or ``"R^2"``.
    n_train, n_test, n_features : int
        Numbers of training rows, test rows, and input columns of the networks.
    sklearn, sknumpynet : FitResult
        The results of the two networks.
    notes : tuple of str
        Notes for the reader, for instance a parameter that scikit-learn does not have.
    """

    name: str
    score_name: str
    n_train: int
    n_test: int
    n_features: int
    sklearn: FitResult
    sknumpynet: FitResult
    notes: tuple = ()

    @property
    def fit_speedup(self) -> float:
        """scikit-learn's fit time over ours: above 1, ours is faster."""
        return self.sklearn.fit_time / self.sknumpynet.fit_time

    @property
    def predict_speedup(self) -> float:
        """scikit-learn's predict time over ours: above 1, ours is faster."""
        return self.sklearn.predict_time / self.sknumpynet.predict_time

    @property
    def pickle_ratio(self) -> float:
        """scikit-learn's pickle size over ours: above 1, ours is smaller."""
        return self.sklearn.pickle_size / self.sknumpynet.pickle_size

    @property
    def coef_difference(self) -> float:
        """Largest absolute difference in ``coefs_``; NaN if the shapes differ."""
        theirs, ours = self.sklearn.estimator.coefs_, self.sknumpynet.estimator.coefs_
        if [W.shape for W in theirs] != [W.shape for W in ours]:
            return float("nan")
        return max(float(np.max(np.abs(a - b))) for a, b in zip(theirs, ours, strict=True))

    @property
    def has_loss_curves(self) -> bool:
        """Whether both networks have a loss curve (not with L-BFGS)."""
        return self.sklearn.loss_curve is not None and self.sknumpynet.loss_curve is not None

    @property
    def loss_differences(self) -> np.ndarray:
        """Absolute difference of the losses at each epoch that both have, shape (n_epochs,).

        Without loss curves (L-BFGS) it is that of ``loss_``, shape (1,).
        """
        if not self.has_loss_curves:
            return np.array([abs(self.sklearn.loss - self.sknumpynet.loss)])
        theirs, ours = self.sklearn.loss_curve, self.sknumpynet.loss_curve
        n_epochs = min(len(theirs), len(ours))
        return np.abs(theirs[:n_epochs] - ours[:n_epochs])

    @property
    def loss_difference(self) -> float:
        """Largest absolute difference of the loss curves, or of ``loss_`` for L-BFGS."""
        return float(np.max(self.loss_differences))

    def _pairs(self) -> dict:
        """The results of each network: name -> (scikit-learn's value, ours)."""
        theirs, ours = self.sklearn, self.sknumpynet
        return {
            f"test {self.score_name}": (theirs.score, ours.score),
            "fit time": (theirs.fit_time, ours.fit_time),
            "predict time": (theirs.predict_time, ours.predict_time),
            "epochs": (theirs.n_iter, ours.n_iter),
            "final loss": (theirs.loss, ours.loss),
            "pickle size": (theirs.pickle_size, ours.pickle_size),
        }

    def _differences(self) -> dict:
        """The differences between both networks: name -> largest absolute difference."""
        loss_name = "loss_curve_" if self.has_loss_curves else "loss_"
        return {
            "largest difference in coefs_": self.coef_difference,
            f"largest difference in {loss_name}": self.loss_difference,
        }

    def __str__(self) -> str:
        heading = f"{self.name}: {counted(self.n_train, 'row')} to fit, {self.n_test} to test"
        lines = [
            textwrap.fill(f"{heading}, {counted(self.n_features, 'feature')}", 80),
            _line("", SKLEARN, OURS, "difference"),
        ]
        lines += [_line(key, *_in_words(key, *pair)) for key, pair in self._pairs().items()]
        lines += [
            _line(key, "", "", _magnitude(value)) for key, value in self._differences().items()
        ]
        lines += [textwrap.fill(f"note: {note}", 80, subsequent_indent="  ") for note in self.notes]
        return "\n".join(lines)

    __repr__ = __str__  # a notebook shows the table

    def to_frame(self) -> Any:
        """Return the table as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame of shape (8, 4)
            A row per quantity, times in seconds and sizes in bytes; columns ``"scikit-learn"``,
            ``"sknumpynet"``, ``"ratio"`` (scikit-learn / sknumpynet, for times and sizes: above 1
            is in our favour) and ``"difference"`` (sknumpynet - scikit-learn, and the largest
            absolute difference of ``coefs_`` and of the loss). NaN where a column does not apply.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("Comparison.to_frame() needs pandas: pip install pandas") from error
        nan = float("nan")
        rows = {}
        for key, (theirs, ours) in self._pairs().items():
            ratio = theirs / ours if key.endswith(("time", "size")) else nan
            rows[key] = (theirs, ours, ratio, ours - theirs)
        for key, value in self._differences().items():
            rows[key] = (nan, nan, nan, value)
        columns = [SKLEARN, OURS, "ratio", "difference"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype=np.float64)

    def plot(self, axes: Any = None) -> ComparisonDisplay:
        """Draw both loss curves in one plot, and their difference below.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Where to draw the curves and the difference; None makes a new figure.

        Returns
        -------
        ComparisonDisplay
            The display, with the figure, the axes and the lines as attributes.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``axes`` are not two.
        """
        return ComparisonDisplay(self).plot(axes=axes)
