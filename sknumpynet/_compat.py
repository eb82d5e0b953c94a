# SPDX-License-Identifier: BSD-3-Clause
"""All private or version-dependent names of scikit-learn that the package uses are imported here."""

from __future__ import annotations

import copy
import functools
from inspect import Parameter, signature

import sklearn
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as rows_of
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import (
    Interval,
    Options,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as _StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call as check_first_partial_fit
from sklearn.utils.optimize import _check_optimize_result as check_optimize_result
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _get_feature_names

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Replaces scikit-learn's class in versions before 1.9, and raises an error that says so."""

        def set_callbacks(self, *callbacks):
            """Raise ImportError: callbacks came with scikit-learn 1.9."""
            raise ImportError(
                "callbacks need scikit-learn >= 1.9: pip install -U scikit-learn "
                f"(this is {sklearn.__version__})"
            )

    def with_callbacks(method):
        """Return the method unchanged."""
        return method


__all__ = [
    "CachedParameterNames",
    "CallbackSupportMixin",
    "DocLink",
    "EpochHooks",
    "Interval",
    "Options",
    "StrOptions",
    "callbacks_of",
    "check_first_partial_fit",
    "check_matplotlib_support",
    "check_optimize_result",
    "check_sample_weight",
    "fit_context",
    "has_callbacks",
    "has_feature_names",
    "is_made_by_scikit_learn",
    "rows_of",
    "scorer_with_labels",
    "takes_sample_weight",
    "validate_parameters",
    "with_callbacks",
]


class StrOptions(_StrOptions):
    """Like scikit-learn's ``StrOptions``, but lists the options in the same order in every process."""

    def __init__(self, options):
        super().__init__(options)
        self.options = dict.fromkeys(sorted(options))


def validate_parameters(constraints, parameters, name):
    """Raise if a parameter does not satisfy ``constraints``, unless scikit-learn's validation is disabled."""
    if not sklearn.get_config()["skip_parameter_validation"]:
        validate_parameter_constraints(constraints, parameters, caller_name=name)


def has_feature_names(X):
    """Return whether scikit-learn gets column names from X."""
    try:
        return _get_feature_names(X) is not None
    except TypeError:  # names of mixed types, for which the check of X raises
        return False


def is_made_by_scikit_learn(scorer):
    """Return whether the scorer was made from a name or by `make_scorer`, not a custom function."""
    return hasattr(scorer, "_score_func")


def takes_sample_weight(scorer):
    """Return whether a scorer, or its metric, accepts sample weights."""
    try:
        parameters = signature(getattr(scorer, "_score_func", scorer)).parameters
    except (TypeError, ValueError):  # a function without a signature
        return True
    named = "sample_weight" in parameters
    return named or any(each.kind == Parameter.VAR_KEYWORD for each in parameters.values())


def scorer_with_labels(scorer, labels):
    """Return the scorer with ``labels`` set, if it uses probabilities, for data that lack some labels."""
    function = getattr(scorer, "_score_func", None)
    method = getattr(scorer, "_response_method", "predict")
    if function is None or method == "predict" or "labels" not in signature(function).parameters:
        return scorer
    scorer = copy.copy(scorer)
    scorer._kwargs = {"labels": labels, **scorer._kwargs}
    return scorer


DOCS = "https://sknumpynet.readthedocs.io/en/stable/"


class DocLink:
    """The link to the documentation in the HTML display of an estimator."""

    _doc_link_module = "sknumpynet"
    _doc_link_template = DOCS + "generated/sknumpynet.{estimator_name}.html"


class CachedParameterNames:
    """Caches the signature of a class, which scikit-learn reads in each ``get_params``."""

    @classmethod
    @functools.cache
    def _get_param_names(cls):
        return super()._get_param_names()

    @classmethod
    @functools.cache
    def _hidden_param_names(cls):
        """Return the names of parameters of this package's class that a subclass's ``__init__`` lacks."""
        ours = next(
            each for each in cls.__mro__ if each.__module__.partition(".")[0] == "sknumpynet"
        )
        own = cls._get_param_names()
        return [name for name in ours._get_param_names() if name not in own]


def callbacks_of(estimator):
    """Return the list of callbacks created by `set_callbacks`; each call creates a new list."""
    return vars(estimator).get("_skl_callbacks", [])


def has_callbacks(estimator):
    """Return whether a fit has callbacks, set on the estimator or on a meta-estimator."""
    return hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")


class EpochHooks:
    """Calls the hooks of scikit-learn's callbacks: the fit is the root task, each epoch a subtask.

    With ``task_name="cycle"``, as for tables, read "cycle" for "epoch".

    Parameters
    ----------
    estimator : estimator
        The estimator in training.
    data : dict
        ``X``, ``y`` and ``metadata`` to pass to the hooks.
    max_epochs : int or None
        Largest number of epochs; None if it is not known.
    reconstruct : callable
        Returns the attributes that a copy of the estimator needs to predict with the current network.
    row_of : callable, default=None
        Returns the latest row of the training history, as a dict of numbers.
    task_name : {"epoch", "cycle"}, default="epoch"
        Name of the subtasks.
    """

    def __init__(self, estimator, data, max_epochs, reconstruct, row_of=None, task_name="epoch"):
        self.options = {"estimator": estimator, **data}
        self.reconstruct, self.row_of, self.task_name = reconstruct, row_of, task_name
        self.root = self.epoch = self.get_state = None
        self.keepers = []
        if has_callbacks(estimator):
            self.root = estimator._init_callback_context(max_subtasks=max_epochs)
            self.root.call_on_fit_task_begin(**self.options)

    def resume(self, fingerprint):
        """Return the state of the same fit that was interrupted earlier, if a callback has one, else None.

        ``fingerprint()`` must be the same for both. Such a callback also gets ``get_state``, which returns
        the current state. Its ``end()`` is called when the fit is complete.
        """
        kept = None
        for callback in callbacks_of(self.options["estimator"]):
            if hasattr(callback, "resume"):
                self.keepers.append(callback)
                kept = callback.resume(fingerprint(), lambda: self.get_state()) or kept
        return kept

    def count_as_done(self, n_epochs):
        """Number the next epochs after those of the fit that is resumed."""
        for _ in range(n_epochs if self.root is not None else 0):
            self.root.subcontext(task_name=self.task_name)

    def begin_epoch(self):
        """Call the hooks for the beginning of an epoch."""
        if self.root is not None:
            self.epoch = self.root.subcontext(task_name=self.task_name)
            self.epoch.call_on_fit_task_begin(**self.options)

    def end_epoch(self, history=None):
        """Call the hooks for the end of an epoch, and return whether one of them stops the fit.

        Before that, ``log_epoch`` of a callback is called with the latest row of the history.
        """
        if self.root is None:
            return False
        for callback in getattr(self.options["estimator"], "_skl_callbacks", ()):
            if hasattr(callback, "log_epoch"):
                callback.log_epoch(self.row_of(history))
        return self._end(self.epoch)

    def end(self, interrupted=False):
        """Call the hooks for the end of the fit; ``interrupted`` is whether Ctrl-C ended it."""
        if self.root is not None:
            self._end(self.root)
        if not interrupted:
            for callback in self.keepers:
                callback.end()

    def _end(self, context):
        return context.call_on_fit_task_end(
            **self.options, reconstruction_attributes=self.reconstruct
        )
