# SPDX-License-Identifier: BSD-3-Clause
"""Long checks with random settings; the suite runs a sample of them (test_long_checks.py).

::

    python tests/long_checks.py                                       all seven: about an hour
    python tests/long_checks.py --only settings --n 500 --jobs 4      some of one
    python tests/long_checks.py --only settings --number 123          a single one, printed

``parity``
    The same numbers as scikit-learn, to the tolerances of estimators/test_parity.py, after one or several
    calls of ``fit`` and ``partial_fit``. A draw does not count as a comparison where scikit-learn itself does
    not give the same numbers on ``X * (1 + 4 * eps)`` and, in float64, on ``X * (1 + 1000 * eps)``, or its
    loss is not finite ("unstable"), nor where it divides by a batch's weight of zero ("excluded").
``settings``
    All parameters of both estimators, and data of all kinds. Each is fitted, or refused with ValueError or
    TypeError (ZeroDivisionError where weights sum to zero, as in scikit-learn). No RuntimeWarning, no NaN in
    a prediction or in ``loss_``; whatever is done a second time gives the same bits; a pickle goes on as the
    original does; what is refused changes nothing.
``kills``
    A fit in another process, with a `Checkpoint`, is killed at a random moment, once or twice. The same call
    then ends with the numbers of a fit that nobody killed, bit by bit, and leaves no file (scikit-learn 1.9
    and later).

``exports``
    A fitted estimator goes by every way out and, where there is one, back: a file of `export.save`, a folder,
    ONNX in both precisions (where onnxruntime is installed), scikit-learn's networks. For each way it is
    counted whether the predictions are equal (see export/ways_out.py), it is refused, or something is wrong.
``mutated``
    A file of a network, of an estimator for tables or of a checkpoint is damaged, or made up, and read. It is
    refused with one ValueError that names the file, or read as it was written; no code runs meanwhile, and at
    most ten times its size and 10 MB of memory are taken.

``dask``
    A fit on a Dask cluster (where Dask is installed), with rows in up to twenty partitions of any kind,
    against the local fit: parameters to 1e-9 of the largest in float64, 1e-7 with L-BFGS. "unstable" is a
    fit that differs from itself where each number of X and of the weights is moved in its last place.
``dask_kills``
    A worker is killed at a random moment of a fit on a Dask cluster (where Dask is installed), once or twice.
    The fit ends with the numbers of one that nothing has disturbed, bit by bit unless the rows were not yet
    divided (then to 1e-9, L-BFGS to 1e-7), and does not hang.

What fails is printed with the simplest setting found that fails alike. The exit status is 1 if anything does.
"""

import argparse
import collections
import contextlib
import functools
import io
import multiprocessing
import os
import pickle
import re
import sys
import tempfile
import time
import traceback
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before NumPy is imported

import numpy as np
import random_settings
from fitted_state import fitted_state
from random_settings import PLAIN, PLAIN_TARGET, drawer, make_data

import sknumpynet
from sknumpynet import Checkpoint, NumpyMLPClassifier, NumpyMLPRegressor, ValidationMonitor

OURS = {"classifier": NumpyMLPClassifier, "regressor": NumpyMLPRegressor}
REFUSALS = (ValueError, TypeError)


def refuses(error, setting):
    """Return whether an exception is a proper error about an invalid setting."""
    of_weights = isinstance(error, ZeroDivisionError) and "weight" in str(error)
    return isinstance(error, REFUSALS) or (of_weights and setting["weights"] != "none")


def last_line(stack):
    """Return the last line of a stack that is the package's own, as text."""
    package = Path(sknumpynet.__file__).parent
    frames = [frame for frame in stack if package in Path(frame.filename).parents]
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def where(error):
    """Return the type of an exception, where it was raised, and its message."""
    place = last_line(traceback.extract_tb(error.__traceback__))
    return f"{type(error).__name__}{place}: {error}"


def public_state(estimator):
    """Return all public attributes that a fit has left, as comparable values."""
    state = {}
    for name in dir(estimator):
        if name.endswith("_") and not name.startswith("_"):
            with contextlib.suppress(AttributeError):
                state |= fitted_state(getattr(estimator, name), name)
    return without_addresses(state)


def without_addresses(state):
    return {name: re.sub(r" at 0x\w+", "", repr(value)) for name, value in state.items()}


def first_difference(one, other):
    """Return the name of an entry in which two dicts differ, or None."""
    return next((n for n in [*one, *other] if one.get(n) != other.get(n)), None)


# -------------------------------------------------------------------- parity


def check_parity(setting, ours_classes=OURS):
    """Return what became of a setting, and what is wrong, or None."""
    from estimators import test_parity  # and with it much that the other checks do not need

    theirs_class = test_parity.PAIRS[setting["estimator"]][0]
    ours_class = ours_classes[setting["estimator"]]
    X, y, given = make_data(setting)
    weights = given["sample_weight"]
    single = setting["dtype"] == "float32"
    lbfgs = setting["parameters"]["solver"] == "lbfgs"
    # L-BFGS, here, computes in float64 whatever the dtype; there, as SciPy's version has it
    dense = X.toarray() if hasattr(X, "toarray") else np.asarray(X)
    dense = dense.astype(np.float32 if single and not lbfgs else np.float64)
    eps = np.finfo(dense.dtype).eps
    X_there = X if not (single and lbfgs) else random_settings.contain(dense, setting["container"])
    if setting["container"] == "list" and single:
        X = X_there = dense  # in a list there is no float32
    theirs = train(theirs_class, setting, X_there, y, weights)
    if isinstance(theirs, ZeroDivisionError):
        return "excluded", None
    ours = train(ours_class, setting, X, y, weights)
    if isinstance(theirs, Exception):
        same = type(ours) is type(theirs)
        return "refused by both", None if same else f"scikit-learn: {theirs!r}; here: {ours!r}"
    tolerance = 2e-3 if single else 1e-4 if lbfgs else 1e-6
    for factor in (4,) if single else (4, 1000):
        moved = contain_like(dense * (1 + factor * eps), setting)
        again = train(theirs_class, setting, moved, y, weights)
        if not test_parity.is_stable(theirs, again, dense, tolerance):
            return "unstable", None
    if isinstance(ours, Exception):
        return "compared", f"scikit-learn fits; here: {where(ours)}"
    found = test_parity.differences(ours, theirs, dense)
    if setting["parameters"].get("warm_start"):
        del found["best_loss_"]  # there it is the best of both fits
    worst = max(found, key=found.get)
    if not found[worst] <= tolerance:
        return "compared", f"{worst} differs by {found[worst]:.1e}"
    if setting["estimator"] == "classifier":
        if not np.array_equal(ours.classes_, theirs.classes_):
            return "compared", f"classes_: {theirs.classes_} there, {ours.classes_} here"
        test_parity.assert_labels_agree(ours, theirs, dense)
    elif ours.predict(X).shape != theirs.predict(X).shape:
        return "compared", "predictions have another shape"
    return "compared", None


def contain_like(dense, setting):
    container = setting["container"]
    return random_settings.contain(dense, "array" if container == "list" else container)


def train(cls, setting, X, y, weights):
    """Return the estimator after the setting's calls, or the exception that one of them raises.

    The second call, and further ones, get some of the rows only.
    """
    parameters = dict(setting["parameters"])
    if setting["generator"]:
        parameters["random_state"] = np.random.RandomState(parameters["random_state"])
    estimator = cls(**parameters)
    for i, call in enumerate(setting["calls"]):
        rows = slice(5 * i, None)
        arguments = {} if weights is None else {"sample_weight": weights[rows]}
        if call == "partial_fit" and i == 0 and setting["estimator"] == "classifier":
            arguments["classes"] = np.arange(y.shape[1]) if np.ndim(y) == 2 else np.unique(y)
        try:
            getattr(estimator, call)(X[rows], y[rows], **arguments)
        except REFUSALS + (ZeroDivisionError,) as error:
            return error
    return estimator


# -------------------------------------------------------------------- all settings


def check_setting(setting, classes=OURS):
    """Return what became of a setting, and what is wrong, or None."""
    results = []
    for _ in range(2):
        np.random.seed(0)  # what random_state=None reads
        found, problem = use(classes[setting["estimator"]], setting)
        if problem:
            return found["outcome"], problem
        results.append(found)
    different = first_difference(*results)
    return found["outcome"], f"a second time {different} is another" if different else None


def use(cls, setting):
    """Fit a new estimator, call its methods, and return all results as a dict, and what is wrong, or None."""
    results, problem, warned = {"outcome": "fitted"}, None, []

    def note(message, category, filename, lineno, file=None, line=None):
        of_ones_own = Path(filename).name == "random_settings.py"
        if not issubclass(category, UserWarning) and not of_ones_own:
            place = last_line(traceback.extract_stack())
            warned.append(f"{category.__name__}{place}: {message}")

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        warnings.showwarning = note
        try:
            problem = fit_and_use(cls, setting, results)
        except Exception as error:  # whatever it is, it is reported
            problem = where(error)
    if warned and problem is None:
        problem = f"{warned[0]} ({results['outcome']})"
    return results, problem


def fit_and_use(cls, setting, results):
    X, y, given = make_data(setting)
    parameters = dict(setting["parameters"])
    estimator = cls(**parameters)
    repr(estimator)
    shown = without_addresses(fitted_state(estimator.get_params()))
    try:
        estimator.fit(X, y, **given)
    except Exception as error:
        if not refuses(error, setting):
            return where(error)
        results["outcome"] = f"refused with {type(error).__name__}"
        results["message"] = re.sub(r" at 0x\w+", "", str(error))
        if public_state(estimator):
            return "a fit that was refused has left fitted attributes"
        return None
    if without_addresses(fitted_state(estimator.get_params())) != shown:
        return "fit has changed a parameter"
    repr(estimator)
    results |= public_state(estimator)
    if np.isnan(estimator.loss_):
        return "loss_ is NaN in a model that was returned"
    problem = call_all(estimator, X, y, results, "fitted")
    if problem:
        return problem
    copy, after = pickle.loads(pickle.dumps(estimator)), {}
    problem = call_all(copy, X, y, after, "fitted")
    different = first_difference(after, {name: results.get(name) for name in after})
    if problem or different:
        return problem or f"after pickling {different} is another"
    pairs = ((estimator, results), (copy, after)) if hasattr(estimator, "partial_fit") else ()
    for each, to in pairs:
        try:
            each.partial_fit(X, y, sample_weight=given["sample_weight"])
        except Exception as error:
            if not refuses(error, setting):
                return where(error)
            to["partial_fit"] = str(error)
            unchanged = {}
            problem = call_all(each, X, y, unchanged, "fitted")
            if problem or first_difference(unchanged, {n: results.get(n) for n in unchanged}):
                return (
                    problem or "a call of partial_fit that was refused has changed the predictions"
                )
        else:
            problem = call_all(each, X, y, to, "after partial_fit")
            if problem:
                return f"after partial_fit: {problem}"
    different = first_difference(after, {name: results.get(name) for name in after})
    if different:
        return f"a pickle goes on otherwise: {different}"
    if estimator.warm_start or not isinstance(estimator.random_state, int):
        return None
    again = {}
    problem = call_all(estimator.fit(X, y, **given), X, y, again, "fitted")
    different = first_difference(again, {name: results.get(name) for name in again})
    return f"the second fit of one estimator: {different} is another" if different else problem


def call_all(estimator, X, y, results, prefix):
    """Put into the dict what the methods return; return what is wrong with it, or None."""
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        if hasattr(estimator, name):
            value = getattr(estimator, name)(X)
            results |= fitted_state(value, f"{prefix}.{name}")
            for part in value if isinstance(value, list) else [value]:
                part = part.toarray() if hasattr(part, "toarray") else part
                if part.dtype.kind == "f" and np.isnan(part).any():
                    return f"{name} returns NaN"
                if name == "predict_proba" and not ((part >= 0) & (part <= 1)).all():
                    return "predict_proba is outside of 0 to 1"
    results[f"{prefix}.score"] = repr(estimator.score(X, y))
    return None


# -------------------------------------------------------------------- kills


class StopAfter:
    """A callback that ends the fit after so many epochs."""

    def __init__(self, epochs):
        self.epochs = epochs

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch" and context.task_id + 1 >= self.epochs

    def teardown(self, estimator, context):
        pass


class Tell(StopAfter):
    """A callback that says, by a connection, when the first epoch is over."""

    def __init__(self, connection):
        self.connection = connection

    def on_fit_task_end(self, estimator, context):
        if self.connection is not None:
            self.connection.send(True)
            self.connection = None


def fit_with(setting, path=None, connection=None):
    """Fit, with a checkpoint where there is a path, and return all that has come of it."""
    X, y, given = make_data(setting)
    parameters = dict(setting["parameters"])
    if setting["generator"]:
        parameters["random_state"] = np.random.RandomState(parameters["random_state"])
    estimator = OURS[setting["estimator"]](**parameters)
    callbacks = [] if connection is None else [Tell(connection)]
    if path is not None:
        callbacks.append(Checkpoint(path, every=setting["every"]))
    monitor = ValidationMonitor(X, y)
    if setting["monitored"]:
        callbacks.append(monitor)
    if setting["stop_after"]:
        callbacks.append(StopAfter(setting["stop_after"]))
    if callbacks:
        estimator.set_callbacks(*callbacks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y, **given)
        results = public_state(estimator)
        call_all(estimator, X, y, results, "fitted")
        estimator.partial_fit(X, y) if not parameters["early_stopping"] else None
        call_all(estimator, X, y, results, "after partial_fit")
    return results, list(zip(monitor.epochs_, monitor.scores_))


def check_kill(setting):
    """Return what became of a setting, and what is wrong, or None."""
    started = time.perf_counter()
    whole, scores = fit_with(setting)
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.checkpoint"
        killed = sum(
            kill(setting, path, seconds * m) for m in setting["moments"][: setting["kills"]]
        )
        kept = path.exists()
        resumed, later_scores = fit_with(setting, path)
        left = [each.name for each in Path(folder).iterdir()]
    outcome = "over before it was killed"
    if killed:
        outcome = f"killed {'once' if killed == 1 else 'twice'}, {'then resumed' if kept else 'no file yet'}"
    different = first_difference(whole, resumed)
    if different:
        return outcome, f"{different} is another than without the kill"
    if later_scores != scores[len(scores) - len(later_scores) :]:
        return outcome, "ValidationMonitor has other epochs or scores than without the kill"
    return outcome, f"{len(left)} files were left: {left[0]}" if left else None


def kill(setting, path, seconds):
    """Fit in a process of its own, kill it after so many seconds, and return whether it was still at it."""
    # forked from a new interpreter, not from this one
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["sknumpynet", "pandas"])
    begun, beginning = processes.Pipe(duplex=False)
    child = processes.Process(target=fit_with, args=(setting, path, beginning))
    child.start()
    beginning.close()
    if begun.poll(60):  # also where it is over at once
        time.sleep(seconds)
    child.kill()
    child.join()
    return child.exitcode < 0


# -------------------------------------------------------------------- ways out of the process


def draw_export(draw):
    """Draw a setting that fits; once in eight times one of an estimator for tables."""
    from export.random_tables import draw_table

    if draw.random() < 0.125:
        return {"table": draw_table(draw)}
    while True:
        setting = random_settings.draw_any(draw)
        if fitted_by(setting) is not None:
            return setting


def fitted_by(setting):
    """Return the estimator of a setting, or None if part of it is invalid."""
    X, y, given = make_data(setting)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return OURS[setting["estimator"]](**setting["parameters"]).fit(X, y, **given)
        except Exception as error:
            if refuses(error, setting):
                return None
            raise


def check_export(setting):
    """Return what became of a setting by each way, and what is wrong, or None."""
    from export import random_tables, ways_out

    np.random.seed(0)  # what random_state=None reads
    if "table" in setting:
        return ways_out.check_ways_of_table(*random_tables.fit_table(setting["table"]))
    X, _, _ = make_data(setting)
    return ways_out.check_ways(fitted_by(setting), X)


def draw_mutation(draw):
    from export import mutations

    return mutations.draw_mutation(draw)


def check_mutation(setting):
    """Return what became of a mutated file, and what is wrong, or None."""
    from export import mutations

    kind, outcome = mutations.outcome_of(setting)
    is_right = outcome in ("refused", "the same")
    return f"{kind}, {setting['mutation']}: {outcome}", None if is_right else outcome


# -------------------------------------------------------------------- workers of a cluster


def draw_dask(draw):
    import dask_agreement

    return dask_agreement.draw_dask(draw)


def check_dask(setting):
    """Return what became of a fit on a cluster, and what is wrong, or None."""
    import dask_agreement

    return dask_agreement.check_dask(setting)


def draw_dask_kill(draw):
    import dask_kills

    return dask_kills.draw_dask_kill(draw)


def check_dask_kill(setting):
    """Return what became of a fit whose workers were killed, and what is wrong, or None."""
    import dask_kills

    return dask_kills.check_dask_kill(setting)


# -------------------------------------------------------------------- running them

CHECKS = {
    "parity": (random_settings.draw_parity, check_parity, 2400),  # of which 2000 are compared
    "settings": (random_settings.draw_any, check_setting, 5000),
    "kills": (random_settings.draw_kill, check_kill, 200),
    "exports": (draw_export, check_export, 500),
    "mutated": (draw_mutation, check_mutation, 2000),
    "dask": (draw_dask, check_dask, 200),  # of which more than 100 are compared
    "dask_kills": (draw_dask_kill, check_dask_kill, 40),
}
AS_THEY_ARE = ("kills", "mutated", "dask_kills")  # nothing in their settings can be made simpler


def run_one(check, seed, number):
    """Return the setting of that number, what became of it, and what is wrong, or None."""
    draw, function, _ = CHECKS[check]
    setting = draw(drawer(check, seed, number))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return setting, *function(setting)
        except Exception as error:  # the check itself has failed
            return setting, "failed", where(error)


def kind_of(problem):
    """Return a problem without its numbers, so that those of one kind are counted together."""
    problem = re.sub(r"(files were left: fit.checkpoint)\w*", r"\1", problem.splitlines()[0])
    return re.sub(r"(?<![\w.:])-?\d[\w.+-]*", "#", problem)[:150]


def simplify(setting, check):
    """Return the setting with as much of it left out as still fails alike."""
    function = CHECKS[check][1]
    kind = kind_of(function(setting)[1])

    def still_fails(candidate):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                problem = function(candidate)[1]
            except Exception:  # simpler in a way that means nothing
                return False
        return problem is not None and kind_of(problem) == kind

    if "table" in setting:
        return setting
    plain = PLAIN | {"target": PLAIN_TARGET[setting["estimator"]]}
    for name in [name for name in plain if name in setting]:
        if still_fails(setting | {name: plain[name]}):
            setting = setting | {name: plain[name]}
    for name in list(setting["parameters"]):
        fewer = {key: value for key, value in setting["parameters"].items() if key != name}
        if still_fails(setting | {"parameters": fewer}):
            setting = setting | {"parameters": fewer}
    return setting


def show(setting):
    """Return a setting as text, without what is as usual."""
    plain = {name: value for name, value in setting.items() if PLAIN.get(name) != value}
    return "\n".join(f"      {name}: {value!r}" for name, value in plain.items())


def run_many(check, numbers, seed, jobs):
    """Run a check on those settings, print what was found, and return the number of failures."""
    outcomes, failures = collections.Counter(), collections.defaultdict(list)
    started, done = time.perf_counter(), 0
    one = functools.partial(run_one, check, seed)
    new_interpreters = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=new_interpreters) as pool:
        for number, (_, outcome, problem) in zip(numbers, pool.map(one, numbers, chunksize=4)):
            outcomes.update([outcome] if isinstance(outcome, str) else outcome)
            done += 1
            if problem:
                failures[kind_of(problem)].append((number, problem))
            if done % 500 == 0:
                print(f"  ... {done}", flush=True)
    print(f"{check}: {len(numbers)} settings in {time.perf_counter() - started:.0f} s")
    for outcome, count in sorted(outcomes.items(), key=lambda item: (-item[1], item[0])):
        print(f"  {count:5d} {outcome}")
    for kind, found in sorted(failures.items(), key=lambda item: -len(item[1])):
        number, problem = found[0]
        print(f"  FAILED {len(found)} times: {kind}")
        print(f"    numbers {', '.join(str(n) for n, _ in found[:8])}; number {number}: {problem}")
        setting = CHECKS[check][0](drawer(check, seed, number))
        with contextlib.suppress(Exception):  # what fails by chance cannot be made simpler
            setting = setting if check in AS_THEY_ARE else simplify(setting, check)
        print(show(setting), flush=True)
    return sum(map(len, failures.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(CHECKS), help="one of the checks")
    parser.add_argument("--n", type=int, help="how many settings, from --first on")
    parser.add_argument("--first", type=int, default=0, help="the first setting's number")
    parser.add_argument("--number", type=int, help="this one alone, and print it")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other settings")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    options = parser.parse_args()
    checks = [options.only] if options.only else list(CHECKS)
    if options.number is not None:
        for check in checks:
            setting, outcome, problem = run_one(check, options.seed, options.number)
            print(f"{check} {options.number}: {outcome}; {problem or 'as it should be'}")
            print("\n".join(f"      {name}: {value!r}" for name, value in setting.items()))
        return 0
    failed = 0
    for check in checks:
        numbers = range(options.first, options.first + (options.n or CHECKS[check][2]))
        failed += run_many(check, numbers, options.seed, options.jobs)
    return int(failed > 0)


if __name__ == "__main__":
    import long_checks  # by this name other processes find its functions

    sys.exit(long_checks.main())
