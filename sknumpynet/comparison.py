# SPDX-License-Identifier: BSD-3-Clause
"""Fit a network of ours and scikit-learn's counterpart in turn, and put the two side by side.

The result is a :class:`Comparison`: a table to print, a DataFrame, or a drawing of both loss curves.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import re
import textwrap
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import signature
from numbers import Integral
from typing import Any

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from ._classifier import NumpyMLPClassifier
from ._regressor import NumpyMLPRegressor

__all__ = [
    "Comparison",
    "ComparisonDisplay",
    "FitResult",
    "compare_with_sklearn",
    "plot_comparisons",
]

SKLEARN, OURS = "scikit-learn", "sknumpynet"
SKLEARN_COLOR, OURS_COLOR = "#E69F00", "#0072B2"  # orange and blue that the colour-blind tell apart
SMALLEST_SHOWN = 1e-18  # smaller differences, zero among them, are drawn on the zero line


@dataclass(frozen=True)
class FitResult:
    """What one of the two networks did.

    Attributes
    ----------
    estimator : estimator
        The fitted network.
    score : float
        What ``estimator.score`` gives on the test rows: accuracy or R^2.
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
    """A network of ours beside scikit-learn's: what :func:`compare_with_sklearn` returns.

    Attributes
    ----------
    name : str
        What was compared; the heading of the table and of the drawing.
    score_name : str
        ``"accuracy"`` or ``"R^2"``.
    n_train, n_test, n_features : int
        Rows fitted, rows tested, and columns as the networks saw them.
    sklearn, sknumpynet : FitResult
        What each of the two networks did.
    notes : tuple of str
        What a reader has to know, for instance a parameter that scikit-learn does not have.
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
        """Whether both networks kept a loss curve (L-BFGS does not)."""
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
        """What can be said of each network: name -> (scikit-learn's value, ours)."""
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
        """What can be said of both together: name -> largest absolute difference."""
        loss_name = "loss_curve_" if self.has_loss_curves else "loss_"
        return {
            "largest difference in coefs_": self.coef_difference,
            f"largest difference in {loss_name}": self.loss_difference,
        }

    def __str__(self) -> str:
        heading = f"{self.name}: {_count(self.n_train, 'row')} to fit, {self.n_test} to test"
        lines = [
            textwrap.fill(f"{heading}, {_count(self.n_features, 'feature')}", 80),
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
        """Give the table as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame of shape (8, 4)
            A row per quantity, times in seconds and sizes in bytes; columns ``"scikit-learn"``,
            ``"sknumpynet"``, ``"ratio"`` (scikit-learn / sknumpynet, for times and sizes: above 1
            is in our favour) and ``"difference"`` (sknumpynet - scikit-learn, and the largest
            absolute difference of ``coefs_`` and of the loss). NaN where a column says nothing.

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
        """Draw both loss curves over each other, and their difference below.

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


def compare_with_sklearn(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    X_test: Any = None,
    y_test: Any = None,
    sample_weight: Any = None,
    test_size: Any = 0.25,
    random_state: Any = 0,
    repeats: int = 3,
    max_seconds: float | None = None,
    name: str | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    on_epoch: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Fit a network and scikit-learn's counterpart in turn, and compare them.

    Both get the same parameters and the same rows. They are fitted ``repeats`` times, taking
    turns at going first, and the shortest time of each counts, so that a busy machine is unfair
    to neither. Convergence warnings become a note in the comparison.

    Parameters
    ----------
    estimator : NumpyMLPClassifier, NumpyMLPRegressor or Pipeline that ends in one
        The network to compare, fitted or not; it is cloned and never changed. The earlier steps of
        a Pipeline are fitted once, for both networks, and are not in the times and sizes.
        If its ``random_state`` is None, both networks get the integer 0, since networks that
        start differently cannot be compared.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The input data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target.
    X_test : {array-like, sparse matrix} of shape (n_test, n_features), default=None
        The rows to test with. If None, ``X`` and ``y`` are split, stratified by class if possible.
    y_test : array-like of shape (n_test,) or (n_test, n_outputs), default=None
        The target of ``X_test``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows in the fit of the networks. The test score has no weights.
    test_size : float or int, default=0.25
        Share or number of rows to test with; not used if ``X_test`` is given.
    random_state : int, RandomState instance or None, default=0
        Seed of the split; not used if ``X_test`` is given.
    repeats : int, default=3
        How often each of the two is fitted.
    max_seconds : float, default=None
        Once the fits have taken so long, no further repeat begins; None sets no limit.
    name : str, default=None
        Heading of the table and the drawing; None takes the class name of the network.
    progress : callable, default=None
        Called as ``progress(n_done, n_fits, what)`` before each fit, and once more at the end.
    on_epoch : callable, default=None
        Called as ``on_epoch(n_done, max_iter)`` after each epoch of either network, to which both
        then give a little time. Never called with L-BFGS, or if ``verbose`` is set.

    Returns
    -------
    Comparison
        Prints as a table; see also its ``to_frame()`` and ``plot()``.

    Raises
    ------
    TypeError
        If ``estimator`` is not one of our networks or a Pipeline that ends in one.
    ValueError
        If ``repeats`` is not a positive integer, if only one of ``X_test`` and ``y_test`` is
        given, or if the data or the parameters are such that a network refuses them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknumpynet import NumpyMLPClassifier
    >>> from sknumpynet.comparison import compare_with_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NumpyMLPClassifier(max_iter=20, random_state=0)
    >>> comparison = compare_with_sklearn(net, X, y, name="iris")
    >>> comparison.sklearn.n_iter, comparison.sknumpynet.n_iter
    (20, 20)
    >>> comparison.coef_difference < 1e-9 and comparison.loss_difference < 1e-9
    True
    """
    steps, network = _split_pipeline(estimator)
    if isinstance(repeats, bool) or not isinstance(repeats, Integral) or repeats < 1:
        raise ValueError(f"repeats must be an integer of at least 1, got {repeats!r}.")
    ours = clone(network)
    theirs, notes = _counterpart(ours)
    is_classifier = isinstance(theirs, MLPClassifier)

    X_train, X_test, y_train, y_test, weight = _split(
        X, y, X_test, y_test, sample_weight, test_size, random_state, stratify=is_classifier
    )
    if steps is not None:
        X_train = steps.fit_transform(X_train, y_train)
        X_test = steps.transform(X_test)
    name = type(network).__name__ if name is None else str(name)
    networks, train = {SKLEARN: theirs, OURS: ours}, (X_train, y_train, weight)
    tell = partial(_tell, progress, name, repeats * len(networks))
    limit = np.inf if max_seconds is None else max_seconds
    times = _fit_in_turn(networks, train, X_test, repeats, limit, tell, on_epoch)
    results = {
        who: FitResult(net, float(net.score(X_test, y_test)), *times[who], len(pickle.dumps(net)))
        for who, net in networks.items()
    }
    if ours.n_iter_ >= ours.max_iter:
        notes.append(f"stopped at max_iter={ours.max_iter}, before convergence.")
    return Comparison(
        name=name,
        score_name="accuracy" if is_classifier else "R^2",
        n_train=_n_rows(X_train),
        n_test=_n_rows(X_test),
        n_features=ours.n_features_in_,
        sklearn=results[SKLEARN],
        sknumpynet=results[OURS],
        notes=tuple(notes),
    )


def _split_pipeline(estimator: Any) -> tuple:
    """The steps before the network (an unfitted Pipeline, or None), and the network."""
    steps, network = None, estimator
    if isinstance(estimator, Pipeline):
        network = estimator.steps[-1][1]
        steps = clone(estimator[:-1]) if len(estimator.steps) > 1 else None
    if isinstance(network, (NumpyMLPClassifier, NumpyMLPRegressor)):
        return steps, network
    if isinstance(network, type):
        got, hint = f"the class {network.__name__}", f"Pass an instance: {network.__name__}()."
    elif isinstance(network, (MLPClassifier, MLPRegressor)):
        got = type(network).__name__
        hint = f"Pass Numpy{got} with the same parameters; the comparison makes the {got} itself."
    else:
        got = type(network).__name__
        hint = "Other estimators have no counterpart to be compared with."
    where = "a Pipeline that ends in " if estimator is not network else ""
    raise TypeError(
        "estimator must be a NumpyMLPClassifier, a NumpyMLPRegressor or a Pipeline "
        f"that ends in one, got {where}{got}. {hint}"
    )


def _counterpart(ours: Any) -> tuple:
    """scikit-learn's network with the parameters that it has, and notes on those it has not.

    Without a seed, both networks get the same one.
    """
    notes = []
    if ours.random_state is None:
        ours.set_params(random_state=0)
        notes.append("random_state is None: both networks got random_state=0.")
    sklearn_class = MLPClassifier if isinstance(ours, NumpyMLPClassifier) else MLPRegressor
    known = signature(sklearn_class).parameters
    parameters = clone(ours).get_params(deep=False)
    theirs = sklearn_class(**{key: parameters[key] for key in known if key in parameters})
    defaults = signature(type(ours)).parameters
    for key, value in parameters.items():
        if key not in known and not _is_default(value, defaults[key].default):
            notes.append(
                f"{key}={value!r} does not exist in scikit-learn {sklearn.__version__}: "
                "its network was fitted without."
            )
    return theirs, notes


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and repr(value) == repr(default))


def _split(
    X: Any,
    y: Any,
    X_test: Any,
    y_test: Any,
    sample_weight: Any,
    test_size: Any,
    random_state: Any,
    stratify: bool,
) -> tuple:
    """X_train, X_test, y_train, y_test and the weights of the training rows."""
    if (X_test is None) != (y_test is None):
        given, missing = ("y_test", "X_test") if X_test is None else ("X_test", "y_test")
        raise ValueError(
            f"{given} is given without {missing}: pass both, or neither to have X and y split."
        )
    if X_test is not None:
        return X, X_test, y, y_test, sample_weight
    arrays = [X, y] if sample_weight is None else [X, y, sample_weight]
    options = {"test_size": test_size, "random_state": random_state}
    if stratify and np.ndim(y) == 1:
        try:
            parts = train_test_split(*arrays, stratify=y, **options)
        except ValueError:  # a class of one row, or more classes than test rows
            parts = train_test_split(*arrays, **options)
    else:
        parts = train_test_split(*arrays, **options)
    return (*parts[:4], None if sample_weight is None else parts[4])


def _fit_in_turn(
    networks: dict,
    train: tuple,
    X_test: Any,
    repeats: int,
    max_seconds: float,
    tell: Callable[[int, str], None],
    on_epoch: Callable[[int, int], None] | None,
) -> dict:
    """Fit each network ``repeats`` times; the shortest (fit time, predict time) of each."""
    best = {who: (np.inf, np.inf) for who in networks}
    done, start = 0, time.perf_counter()
    for repeat in range(repeats):
        if repeat > 0 and time.perf_counter() - start > max_seconds:
            break
        # scikit-learn goes first at first: it refuses what it does not know before ours is trained
        for who in list(networks)[:: 1 if repeat % 2 == 0 else -1]:
            tell(done, who)
            with _epochs_told(networks[who], on_epoch):
                times = _time_once(networks[who], train, X_test)
            best[who] = tuple(map(min, best[who], times))
            done += 1
    tell(repeats * len(networks), "done")
    return best


def _tell(progress: Any, name: str, n_fits: int, n_done: int, what: str) -> None:
    """Call the user's ``progress``, if there is one."""
    if progress is not None:
        progress(n_done, n_fits, f"{name}: {what}")


@contextlib.contextmanager
def _epochs_told(network: Any, on_epoch: Any) -> Any:
    """Call ``on_epoch`` for each epoch that a verbose fit, ours or scikit-learn's, prints."""
    if on_epoch is None or network.solver == "lbfgs" or network.verbose:
        yield
        return
    network.set_params(verbose=True)
    try:
        with contextlib.redirect_stdout(_EpochLines(on_epoch, network.max_iter)):
            yield
    finally:
        network.set_params(verbose=False)


class _EpochLines(io.TextIOBase):
    """What reads the lines "Iteration 7, loss = 0.12", which both networks print."""

    def __init__(self, on_epoch: Callable[[int, int], None], max_iter: int) -> None:
        self.on_epoch, self.max_iter = on_epoch, max_iter

    def write(self, text: str) -> int:
        line = re.match(r"Iteration (\d+),", text)
        if line:
            self.on_epoch(int(line[1]), self.max_iter)
        return len(text)


def _time_once(network: Any, train: tuple, X_test: Any) -> tuple:
    """Seconds that ``fit``, and the fastest of some ``predict``, took."""
    X, y, sample_weight = train
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # a fit that was cut short must not be compared: make Ctrl-C end the comparison instead
        warnings.filterwarnings("error", message="(?i)training interrupted")
        start = time.perf_counter()
        try:
            network.fit(X, y, sample_weight=sample_weight)
        except UserWarning as warning:
            if "interrupted" in str(warning):
                raise KeyboardInterrupt from None
            raise
        fit_time = time.perf_counter() - start
    predict_times: list[float] = []
    while len(predict_times) < 3 or (len(predict_times) < 30 and sum(predict_times) < 0.1):
        start = time.perf_counter()
        network.predict(X_test)
        predict_times.append(time.perf_counter() - start)
    return fit_time, min(predict_times)


def _n_rows(X: Any) -> int:
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _line(label: str, theirs: str, ours: str, difference: str) -> str:
    """One line of the table, 78 characters wide."""
    return f"{label:<33} {theirs:>12}  {ours:>12}  {difference:>16}"


def _in_words(key: str, theirs: float, ours: float) -> tuple:
    """Both values and what lies between them, as the table shows them."""
    if key.endswith("time"):
        return (*_in_seconds(theirs, ours), _times(theirs / ours, "faster", "slower"))
    if key.endswith("size"):
        unit, factor = ("MB", 1e-6) if max(theirs, ours) >= 1e6 else ("kB", 1e-3)
        shown = [f"{value * factor:.1f} {unit}" for value in (theirs, ours)]
        return (*shown, _times(theirs / ours, "smaller", "larger"))
    spec = {"epochs": "d", "final loss": ".6g"}.get(key, ".4f")
    gap = f"{ours - theirs:+d}" if spec == "d" else f"{ours - theirs:+.1e}"
    return f"{theirs:{spec}}", f"{ours:{spec}}", "equal" if theirs == ours else gap


def _magnitude(difference: float) -> str:
    if np.isnan(difference):
        return "other shapes"
    return f"{difference:.1e}" if difference else "0"


def _times(ratio: float, above: str, below: str) -> str:
    """Say 0.5 as "2.00x slower": a factor below 1 is harder to read."""
    factor, word = (ratio, above) if ratio >= 1 else (1 / ratio, below)
    if factor < 1.005:
        return "about equal"
    return f"{factor:.2f}x {word}" if factor < 100 else f"{factor:.0f}x {word}"


def _in_seconds(theirs: float, ours: float) -> list:
    """Times with one unit for both, so that they can be compared at a glance."""
    largest = max(theirs, ours)
    unit, factor = ("s", 1) if largest >= 1 else ("ms", 1e3) if largest >= 1e-3 else ("us", 1e6)
    decimals = 0 if largest * factor >= 100 else 1 if largest * factor >= 10 else 2
    return [f"{value * factor:.{decimals}f} {unit}" for value in (theirs, ours)]


class ComparisonDisplay:
    """Both loss curves over each other, and their difference below.

    Make one with :meth:`Comparison.plot`.

    Parameters
    ----------
    comparison : Comparison
        What to draw.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure.
    axes_ : tuple of two matplotlib Axes
        That of the loss curves, and that of their difference.
    sklearn_line_, sknumpynet_line_ : matplotlib Line2D
        The loss after each epoch; for L-BFGS, which keeps no curve, the final loss.
    difference_line_ : matplotlib Line2D
        The absolute difference of the two.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def plot(self, axes: Any = None) -> ComparisonDisplay:
        """Draw.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Where to draw the curves and the difference; None makes a new figure.

        Returns
        -------
        ComparisonDisplay
            The display itself.
        """
        if axes is None:
            figure = _import_pyplot().figure(figsize=(6.4, 5.6), layout="constrained")
            axes = _axes_pairs(figure, 1)[0]
        if np.size(axes) != 2:
            raise ValueError(
                "axes must be two matplotlib Axes, one for the loss curves and one "
                f"for their difference, got {np.size(axes)}."
            )
        upper, lower = self.axes_ = tuple(np.ravel(axes))
        self.figure_ = upper.figure
        if self.comparison.has_loss_curves:
            self._plot_curves(upper, lower)
        else:
            self._plot_final_losses(upper, lower)
        self._label(upper, lower)
        return self

    def _plot_curves(self, upper: Any, lower: Any) -> None:
        theirs, ours = self.comparison.sklearn.loss_curve, self.comparison.sknumpynet.loss_curve
        (self.sklearn_line_,) = upper.plot(
            _epochs(theirs),
            theirs,
            color=SKLEARN_COLOR,
            alpha=0.5,
            linewidth=7,
            solid_capstyle="round",
            label=SKLEARN,
        )
        (self.sknumpynet_line_,) = upper.plot(
            _epochs(ours), ours, color=OURS_COLOR, linewidth=1.5, linestyle=(0, (4, 2)), label=OURS
        )
        difference = self.comparison.loss_differences
        (self.difference_line_,) = lower.plot(
            _epochs(difference),
            difference,
            color="0.25",
            linestyle="none",
            marker=".",
            markersize=4,
        )

    def _plot_final_losses(self, upper: Any, lower: Any) -> None:
        theirs, ours = self.comparison.sklearn, self.comparison.sknumpynet
        (self.sklearn_line_,) = upper.plot(
            [theirs.n_iter],
            [theirs.loss],
            color=SKLEARN_COLOR,
            alpha=0.5,
            marker="o",
            markersize=18,
            linestyle="none",
            label=f"{SKLEARN}: {theirs.loss:.6g}",
        )
        (self.sknumpynet_line_,) = upper.plot(
            [ours.n_iter],
            [ours.loss],
            color=OURS_COLOR,
            marker="x",
            markersize=8,
            markeredgewidth=2,
            linestyle="none",
            label=f"{OURS}: {ours.loss:.6g}",
        )
        largest = max(abs(theirs.loss), abs(ours.loss), SMALLEST_SHOWN)
        upper.set_ylim(min(0.0, 1.6 * theirs.loss), 1.6 * largest)
        upper.set_xlim(0, 1.2 * max(theirs.n_iter, ours.n_iter, 1))
        upper.text(
            0.5,
            0.06,
            "L-BFGS keeps no loss curve:\nthis is the loss at the end",
            transform=upper.transAxes,
            ha="center",
            va="bottom",
            color="0.35",
        )
        (self.difference_line_,) = lower.plot(
            [ours.n_iter],
            self.comparison.loss_differences,
            color="0.25",
            marker="o",
            linestyle="none",
        )

    def _label(self, upper: Any, lower: Any) -> None:
        from matplotlib.ticker import MaxNLocator

        comparison = self.comparison
        losses = np.concatenate([self.sklearn_line_.get_ydata(), self.sknumpynet_line_.get_ydata()])
        if losses.min() > 0 and losses.max() > 20 * losses.min():
            upper.set_yscale("log")
        name = comparison.name.replace("$", r"\$")  # a dollar sign would start a formula
        upper.set(ylabel="training loss", title=f"{name}\n{self._summary()}")
        upper.legend(loc="upper right")
        upper.tick_params(axis="x", labelbottom=False)
        largest = np.nanmax(np.append(comparison.loss_differences, 0.0))
        self._scale_differences(lower, top=max(100 * largest, 1e-12))
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        lower.set(
            xlabel="epoch" if comparison.has_loss_curves else "iteration", ylabel="|difference|"
        )
        lower.grid(axis="y", color="0.9")
        for ax in (upper, lower):
            ax.spines[["top", "right"]].set_visible(False)

    def _scale_differences(self, lower: Any, top: float) -> None:
        """Logarithmic above SMALLEST_SHOWN, and a true zero below."""
        lower.set_yscale("symlog", linthresh=SMALLEST_SHOWN)
        lower.set_ylim(-SMALLEST_SHOWN / 2, top)
        low, high = round(np.log10(SMALLEST_SHOWN)) + 2, int(np.ceil(np.log10(top)))
        every = max(2, -(-(high - low) // 3))  # about three powers of ten, rounded up
        lower.set_yticks([0.0, *(10.0**power for power in range(low, high, every))])
        lower.set_yticks([], minor=True)

    def _summary(self) -> str:
        theirs, ours = self.comparison.sklearn.score, self.comparison.sknumpynet.score
        score = " and ".join(dict.fromkeys((f"{theirs:.3f}", f"{ours:.3f}")))
        speed = _times(self.comparison.fit_speedup, "faster", "slower")
        speed = "equally fast" if speed == "about equal" else speed
        name = self.comparison.score_name.replace("^2", "\N{SUPERSCRIPT TWO}")
        return f"test {name} {score}, fit {speed}"


def plot_comparisons(comparisons: Any, figure: Any = None) -> Any:
    """Draw several comparisons in one figure, side by side.

    Parameters
    ----------
    comparisons : sequence of Comparison
        What to draw, from left to right.
    figure : matplotlib Figure, default=None
        The figure to draw in; None makes one with pyplot, as wide as is needed.

    Returns
    -------
    matplotlib Figure
        The figure, with two Axes per comparison.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If there are no comparisons.
    """
    comparisons = list(comparisons)
    if not comparisons:
        raise ValueError("comparisons must hold at least one Comparison, got none.")
    if figure is None:
        figure = _import_pyplot().figure(
            figsize=figure_size(len(comparisons)), layout="constrained"
        )
    pairs = _axes_pairs(figure, len(comparisons))
    for comparison, axes in zip(comparisons, pairs, strict=True):
        comparison.plot(axes=axes)
    return figure


def figure_size(n_comparisons: int) -> tuple:
    """Width and height in inches that keep the words of ``n_comparisons`` apart."""
    return (1.0 + 4.2 * n_comparisons if n_comparisons > 1 else 6.4), 5.2


def _import_pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            'Drawing a comparison needs matplotlib: pip install "sknumpynet[plot]"'
        ) from error
    return plt


def _axes_pairs(figure: Any, n_pairs: int) -> Any:
    """Axes of shape (n_pairs, 2): the loss curves above, a lower one for their difference."""
    axes = figure.subplots(
        2, n_pairs, sharex="col", squeeze=False, gridspec_kw={"height_ratios": (5, 2)}
    )
    return axes.T


def _epochs(values: Any) -> np.ndarray:
    return np.arange(1, len(values) + 1)
