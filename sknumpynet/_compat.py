# SPDX-License-Identifier: BSD-3-Clause
"""Every private or version-dependent name of scikit-learn that the package needs, here and nowhere else."""

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
        """Stands in for scikit-learn's, and says what is missing."""

        def set_callbacks(self, *callbacks):
            """Raise ImportError: callbacks came with scikit-learn 1.9."""
            raise ImportError(
                "callbacks need scikit-learn >= 1.9, where they came in: pip install -U scikit-learn "
                f"(this is {sklearn.__version__})"
            )

    def with_callbacks(method):
        """Leave the method as it is."""
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
    """scikit-learn's, naming the options in the same order in every process."""

    def __init__(self, options):
        super().__init__(options)
        self.options = dict.fromkeys(sorted(options))


def validate_parameters(constraints, parameters, name):
    """Raise where a parameter is not what ``constraints`` say, unless scikit-learn is told not to look."""
    if not sklearn.get_config()["skip_parameter_validation"]:
        validate_parameter_constraints(constraints, parameters, caller_name=name)


def has_feature_names(X):
    """Return whether scikit-learn reads names of columns from X."""
    try:
        return _get_feature_names(X) is not None
    except TypeError:  # names of mixed types, which the check of X has refused
        return False


def is_made_by_scikit_learn(scorer):
    """Return whether the scorer comes of a name or of `make_scorer`, and is no function of the user's."""
    return hasattr(scorer, "_score_func")


def takes_sample_weight(scorer):
    """Return whether a scorer, or the metric that it is made of, can be passed weights."""
    try:
        parameters = signature(getattr(scorer, "_score_func", scorer)).parameters
    except (TypeError, ValueError):  # a function that does not say
        return True
    named = "sample_weight" in parameters
    return named or any(each.kind == Parameter.VAR_KEYWORD for each in parameters.values())


def scorer_with_labels(scorer, labels):
    """Return the scorer for rows that lack some of the labels, where it takes probabilities and them."""
    function = getattr(scorer, "_score_func", None)
    method = getattr(scorer, "_response_method", "predict")
    if function is None or method == "predict" or "labels" not in signature(function).parameters:
        return scorer
    scorer = copy.copy(scorer)
    scorer._kwargs = {"labels": labels, **scorer._kwargs}
    return scorer


DOCS = "https://sknumpynet.readthedocs.io/en/stable/"


class DocLink:
    """Where the HTML display of an estimator links to."""

    _doc_link_module = "sknumpynet"
    _doc_link_template = DOCS + "generated/sknumpynet.{estimator_name}.html"


class CachedParameterNames:
    """Reads the signature of a class once: scikit-learn's does so in each ``get_params``."""

    @classmethod
    @functools.cache
    def _get_param_names(cls):
        return super()._get_param_names()


def callbacks_of(estimator):
    """Return the list of callbacks that `set_callbacks` has made; the next call makes another."""
    return vars(estimator).get("_skl_callbacks", [])


def has_callbacks(estimator):
    """Return whether anything is to be called in a fit: callbacks of the estimator, or of one around it."""
    return hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")


class EpochHooks:
    """Calls the hooks of scikit-learn's callbacks: the fit is the root task, each epoch a child of it.

    With ``task_name="cycle"``, as for tables, what is said of epochs holds for cycles.

    Parameters
    ----------
    estimator : estimator
        The estimator in training.
    data : dict
        ``X``, ``y`` and ``metadata`` to hand to the hooks.
    max_epochs : int or None
        Largest number of epochs; None where it is not known.
    reconstruct : callable
        Returns the attributes that make a copy of the estimator predict as the network would now.
    row_of : callable, default=None
        Returns the newest row of a record of training, as a dict of numbers.
    task_name : {"epoch", "cycle"}, default="epoch"
        What a child is called.
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
        """Return the state of the same fit, broken off earlier, where a callback has kept one, else None.

        ``fingerprint()`` is what both have to have in common. Such a callback gets ``get_state``, too, which
        returns the state as it is when called. Its ``end()`` is called when the fit has come to its end.
        """
        kept = None
        for callback in callbacks_of(self.options["estimator"]):
            if hasattr(callback, "resume"):
                self.keepers.append(callback)
                kept = callback.resume(fingerprint(), lambda: self.get_state()) or kept
        return kept

    def count_as_done(self, n_epochs):
        """Number the epochs to come after those of the fit that this one goes on with."""
        for _ in range(n_epochs if self.root is not None else 0):
            self.root.subcontext(task_name=self.task_name)

    def begin_epoch(self):
        """Call the hooks for the beginning of an epoch."""
        if self.root is not None:
            self.epoch = self.root.subcontext(task_name=self.task_name)
            self.epoch.call_on_fit_task_begin(**self.options)

    def end_epoch(self, history=None):
        """Call the hooks for the end of an epoch, and return whether one asks to stop.

        A callback with a ``log_epoch`` is handed the newest row of the record before.
        """
        if self.root is None:
            return False
        for callback in getattr(self.options["estimator"], "_skl_callbacks", ()):
            if hasattr(callback, "log_epoch"):
                callback.log_epoch(self.row_of(history))
        return self._end(self.epoch)

    def end(self, interrupted=False):
        """Call the hooks for the end of the fit; ``interrupted`` says whether Ctrl-C ended it."""
        if self.root is not None:
            self._end(self.root)
        if not interrupted:
            for callback in self.keepers:
                callback.end()

    def _end(self, context):
        return context.call_on_fit_task_end(
            **self.options, reconstruction_attributes=self.reconstruct
        )
