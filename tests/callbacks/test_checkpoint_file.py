# SPDX-License-Identifier: BSD-3-Clause
"""The file of a checkpoint: what it holds, what is refused, and what a kill or a full disk leaves."""

import collections
import errno
import hashlib
import io
import os
import pickle
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fitted_state import fitted_state
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sknumpynet import Checkpoint, NumpyMLPClassifier, NumpyMLPRegressor
from sknumpynet.callbacks.checkpoint_file import read_checkpoint
from sknumpynet.core import Optimizer, Schedule

pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

X = np.random.RandomState(0).normal(size=(60, 3))
Y = X[:, 0] - 2 * X[:, 1]
SEAL = b"sknumpynet checkpoint, sha256 "


class Crash(Exception):
    """Stands for a killed process."""


class CrashAt:
    """Raises after that epoch of the fit, counted from 1; notes which epochs it has seen."""

    def __init__(self, epoch=None):
        self.epoch, self.seen = epoch, []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.seen.append(context.task_id + 1)
            if context.task_id + 1 == self.epoch:
                raise Crash

    def teardown(self, estimator, context):
        pass


def new(**params):
    settings = {"hidden_layer_sizes": (4,), "max_iter": 6, "random_state": 0, "batch_size": 20}
    return NumpyMLPRegressor(**{**settings, **params})


def break_off(model, path, epoch=3, y=Y, **options):
    broken = clone(model).set_callbacks(Checkpoint(path, **options), CrashAt(epoch))
    with pytest.raises(Crash):
        broken.fit(X, y)


def resume(model, path, y=Y):
    return clone(model).set_callbacks(Checkpoint(path)).fit(X, y)


def assert_same_fit(one, two):
    for a, b in zip(one.coefs_ + one.intercepts_, two.coefs_ + two.intercepts_, strict=True):
        assert a.dtype == b.dtype
        assert_array_equal(a, b)
    for name in ("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_"):
        assert getattr(one, name) == getattr(two, name), name


def assert_refused(path, says):
    content, model = path.read_bytes(), new()
    with pytest.raises(ValueError, match=says) as caught:
        resume(model, path)
    assert type(caught.value) is ValueError
    assert repr(os.fspath(path)) in str(caught.value)
    assert "emove the file" in str(caught.value)
    assert path.read_bytes() == content
    assert not hasattr(model, "coefs_")


# -------------------------------------------------------------------- what is in it


def test_numpy_reads_the_file_without_pickle(tmp_path):
    path = tmp_path / "fit.checkpoint"
    weights = []

    class Keep(CrashAt):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if context.task_name == "epoch":
                weights[:] = [W.ravel() for W in fitted_estimator.coefs_]
            super().on_fit_task_end(estimator, context)

    with pytest.raises(Crash):
        new().set_callbacks(Checkpoint(path), Keep(3)).fit(X, Y)
    with np.load(path, allow_pickle=False) as file:
        arrays = [file[name] for name in file.files if name.isdigit()]
        assert b'"format": "sknumpynet checkpoint"' in file["header.json"]
    params = np.concatenate(weights)
    assert any(a.ndim and len(a) > 15 and np.array_equal(a[:16], params) for a in arrays)
    assert all(member.compress_type == 0 for member in zipfile.ZipFile(path).infolist())


# -------------------------------------------------------------------- what is refused


def test_a_flipped_bit_is_found_or_changes_nothing(tmp_path):
    path = tmp_path / "fit.checkpoint"
    break_off(new(early_stopping=True), path)
    whole, outcomes = path.read_bytes(), collections.Counter()
    state = repr(fitted_state(read_checkpoint(path)))
    rng = np.random.RandomState(0)
    places = [*rng.randint(len(whole), size=400), 0, 1, len(whole) - 1, len(whole) - 64]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= rng.randint(1, 256) if rng.rand() < 0.3 else 1 << rng.randint(8)
        path.write_bytes(damaged)
        try:
            outcomes["read"] += repr(fitted_state(read_checkpoint(path))) == state
        except ValueError as error:
            assert str(path) in str(error) and "Remove the file" in str(error)
            outcomes["refused"] += 1
    assert sum(outcomes.values()) == len(places)
    assert outcomes["refused"] > 6 * outcomes["read"]  # dates and the like in the zip are read past
    path.write_bytes(whole)
    model = new(early_stopping=True)
    assert_same_fit(resume(model, path), clone(model).fit(X, Y))


def test_files_of_every_format_are_read():
    """The same fit, broken off after its third epoch."""
    files = Path(__file__).parent / "files"
    fits = [read_checkpoint(files / f"format_{n}.checkpoint") for n in (1, 2)]
    assert repr(fitted_state(fits[0])) == repr(fitted_state(fits[1]))
    fingerprint, state = fits[0]
    assert fingerprint["solver"] == "'adam'" and fingerprint["hidden_layer_sizes"] == "tuple(4)"
    training = state["training"]
    assert training["params"].shape == (29,) and training["params"].dtype == np.float64
    assert training["progress"] == {"step": 9, "n_steps": 18, "samples": 162, "epoch": 3}


def test_a_file_that_was_cut_short_or_grew_is_refused(tmp_path):
    path = tmp_path / "fit.checkpoint"
    break_off(new(), path)
    whole = path.read_bytes()
    for n in np.random.RandomState(0).randint(3, len(whole), size=40):
        path.write_bytes(whole[:n])
        assert_refused(path, "damaged")
    path.write_bytes(whole + b"\0")
    assert_refused(path, "damaged")


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def npz():
    file = io.BytesIO()
    np.savez(file, a=np.arange(3))
    return file.getvalue()


def sealed(content):
    return content + hashlib.sha256(content).hexdigest().encode()


def zip_of(header, comment=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("header.json", header)
        archive.comment = comment
    return file.getvalue()


def sealed_zip(header):
    """Return the file in format 1."""
    return sealed(zip_of(header, SEAL + b"0" * 64)[:-64])


FOREIGN = {
    "empty": (b"", "is empty"),
    "one byte": (b"P", "not a checkpoint"),
    "text": (b"a,b\n1,2\n" * 50, "not a checkpoint"),
    "zeros": (bytes(5000), "not a checkpoint"),
    "pickle": (pickle.dumps({"fingerprint": {}, "state": Bomb()}), "is a pickle"),
    "another archive": (npz(), "not a checkpoint"),
    "sealed text": (sealed(b"not a zip"), "not a checkpoint"),
    "sealed, no zip": (sealed(b"PK" + SEAL), "cannot be read"),
    "sealed, another archive": (sealed(npz()), "cannot be read"),
    "sealed, no JSON": (sealed_zip("{"), "cannot be read"),
    "sealed, a list": (sealed_zip("[1]"), "cannot be read"),
    "sealed, no state": (sealed_zip('{"format": 1}'), "cannot be read"),
    "sealed, no such array": (
        sealed_zip('{"format": 1, "fingerprint": {}, "state": {"array": 7}}'), "cannot be read",
    ),
    "newer": (
        zip_of('{"format": "sknumpynet checkpoint", "version": 3, "written_by": "9.1"}'),
        r"sknumpynet 9\.1, in the format 3.*reads formats up to 2",
    ),
    "of another kind": (zip_of('{"format": "sknumpynet network", "version": 1}'), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "says"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused(content, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fit.checkpoint").write_bytes(content)
    assert_refused(tmp_path / "fit.checkpoint", says)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("every", 0), ("every", -1), ("every", 2.5), ("every", "2"), ("every", None),
        ("seconds", -0.5), ("seconds", float("nan")), ("seconds", "1"), ("path", 3), ("path", b"a"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_named_before_the_fit_begins(option, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watcher = CrashAt(1)
    checkpoint = Checkpoint(**{"path": "fit.checkpoint", option: value})
    model = new().set_callbacks(checkpoint, watcher)
    with pytest.raises(ValueError, match=f"'{option}' parameter of Checkpoint must be") as caught:
        model.fit(X, Y)
    assert repr(value) in str(caught.value)
    assert watcher.seen == []
    assert not hasattr(model, "coefs_")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".part"])
def test_a_folder_is_named_before_the_fit_begins(name, tmp_path):
    (tmp_path / f"fit.checkpoint{name}").mkdir()
    model, watcher = new(), CrashAt(1)
    model.set_callbacks(Checkpoint(tmp_path / "fit.checkpoint"), watcher)
    with pytest.raises(ValueError, match=r"is a folder, but path=.*use another path"):
        model.fit(X, Y)
    assert watcher.seen == []


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no devices")
def test_a_device_is_no_file():
    with pytest.raises(ValueError, match="'/dev/null' is not a regular file"):
        new().set_callbacks(Checkpoint("/dev/null")).fit(X, Y)


# -------------------------------------------------------------------- states of all kinds


class Own(Optimizer):
    """Gradient descent with noise, and a memory of every plain kind."""

    def __init__(self, momentum=0.9):
        self.momentum = momentum

    def before_update(self):
        if self.t == 1:
            self.count, self.size, self.flags = 0, np.float32(0.1), (True, None, "ü\ud800", 2**80)
            self.by_key = {0: [0.5, 1], (1, "a"): {}, None: [np.inf, -0.0], True: []}
            self.recent, self.grid = [], np.asfortranarray(np.eye(3))
            self.same = self.grid
        self.count += 1
        self.momentum *= 0.999
        self.size *= np.float32(0.99)
        self.same[0, 1] += 0.01
        self.by_key[None][0] = 1 / self.count
        self.recent = [*self.recent[-4:], float(self.count)]

    def update(self, params, grads, state, learning_rate, scratch):
        velocity = state.setdefault("velocity", np.zeros_like(params))
        velocity *= self.momentum
        velocity -= learning_rate * grads * (1 + self.size + self.grid[0, 1])
        noise = np.random.RandomState(self.count).normal(size=len(params))
        velocity += 1e-3 * noise * sum(self.recent) * self.by_key[None][0] * (len(self.flags) == 4)
        params += velocity


class Halving(Schedule):
    """Counts its plateaus."""

    def __init__(self, rate=None):
        self.rate = rate
        self.plateaus, self.rates = 0, np.linspace(1, 0.1, 8)

    def __call__(self, progress):
        return self.peak_rate * self.rates[min(self.plateaus, 7)]

    def on_plateau(self, rate):
        self.plateaus += 1
        self.rate = 0.9 * self.peak_rate
        return rate * self.rates[min(self.plateaus, 7)]


@pytest.mark.parametrize("epoch", [1, 3, 7])
def test_optimizers_and_schedules_of_ones_own_resume(epoch, tmp_path):
    path = tmp_path / "fit.checkpoint"
    model = new(solver=Own(), learning_rate=Halving(0.01), max_iter=9, tol=10.0, n_iter_no_change=1)
    whole = clone(model).fit(X, Y)
    assert whole.n_iter_ == 9
    break_off(model, path, epoch)
    resumed = resume(model, path)
    assert_same_fit(resumed, whole)
    one, two = resumed._training.optimizer, whole._training.optimizer
    assert repr((one.count, one.size, one.flags, one.by_key, one.recent)) == repr(
        (two.count, two.size, two.flags, two.by_key, two.recent)
    )
    assert one.same is one.grid and one.grid.flags.f_contiguous


class Deque(Own):
    def before_update(self):
        super().before_update()
        self.newest = collections.deque([self.count], maxlen=3)


class Nested(Own):
    def before_update(self):
        super().before_update()
        self.by_key = {None: [1.0, 2.0], "inside": [object()]}


class Locked(Own):
    def before_update(self):
        super().before_update()
        self.lock = threading.Lock()


class Objects(Own):
    def before_update(self):
        super().before_update()
        self.things = np.array([None, "a"], object)


class Drawn(Halving):
    def __init__(self, rate=None):
        super().__init__(rate)
        self.rng = np.random.RandomState(0)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"solver": Deque()}, r"optimizer\.newest, which holds a collections\.deque"),
        ({"solver": Nested()}, r"optimizer\.by_key\.inside, which holds a builtins\.object"),
        ({"solver": Locked()}, r"Locked\.lock cannot be copied"),
        ({"solver": Objects()}, r"optimizer\.things, which holds a numpy\.ndarray"),
        ({"learning_rate": Drawn()}, r"schedule\.rng, which holds a numpy.*RandomState"),
    ],
)
@pytest.mark.parametrize("every", [1, 5])
def test_a_state_that_is_no_plain_value_is_refused_by_name(params, says, every, tmp_path):
    watcher = CrashAt()
    model = new(**params)
    model.set_callbacks(Checkpoint(tmp_path / "fit.checkpoint", every=every), watcher)
    with pytest.raises(ValueError, match=f"{says}.*get_state"):
        model.fit(X, Y)
    assert watcher.seen == []  # in the first epoch, not when the file is due
    assert list(tmp_path.iterdir()) == []
    clone(model).set_callbacks().fit(X, Y)


class Converted(Deque):
    def get_state(self):
        return {**vars(self), "newest": list(self.newest), "_scratch": None}

    def set_state(self, state):
        vars(self).update(state)
        del self._scratch
        self.newest = collections.deque(self.newest, maxlen=3)


def test_a_get_state_of_ones_own_makes_it_plain(tmp_path):
    path, model = tmp_path / "fit.checkpoint", new(solver=Converted())
    break_off(model, path)
    assert_same_fit(resume(model, path), clone(model).fit(X, Y))


SOLVERS = ["adam", "sgd", "adamw", "nadam", "amsgrad", "rmsprop", "adagrad", "rprop", "lion"]


def random_model(number):
    rng = np.random.RandomState(number)

    def one_of(*choices):
        return choices[rng.randint(len(choices))]

    solver = SOLVERS[number % len(SOLVERS)]
    rates = ["constant", "step", "exponential", "cosine", "one_cycle", Halving(0.02)]
    rates += ["adaptive", "invscaling"] if solver == "sgd" else []
    seed = int(rng.randint(1000))
    params = {
        "solver": solver if rng.rand() < 0.9 else Own(), "learning_rate": one_of(*rates),
        "hidden_layer_sizes": one_of((3,), (5, 4)), "dropout": one_of(0.0, 0.3),
        "normalization": one_of(None, "batch", "layer"), "early_stopping": bool(rng.rand() < 0.4),
        "validation_fraction": 0.25, "tol": one_of(0.0, 1e-3, 0.3), "n_iter_no_change": one_of(2, 5),
        "shuffle": bool(rng.rand() < 0.8), "max_grad_norm": one_of(None, 0.5), "max_iter": 12,
        "dtype": one_of(None, "float32"), "batch_size": one_of(7, 20, 60),
        "random_state": seed if rng.rand() < 0.6 else np.random.RandomState(seed),
    }  # fmt: skip
    if rng.rand() < 0.5:
        return NumpyMLPClassifier(**params), np.digitize(Y, [-1, 1]), rng
    return NumpyMLPRegressor(**params), Y, rng


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(90))
def test_random_settings_resume_bit_for_bit(number, tmp_path):
    path = tmp_path / "fit.checkpoint"
    model, y, rng = random_model(number)
    whole = clone(model).fit(X, y)
    first = rng.randint(1, whole.n_iter_ + 1)
    break_off(model, path, first, y)
    if first < whole.n_iter_ and rng.rand() < 0.5:  # a second time
        break_off(model, path, rng.randint(first + 1, whole.n_iter_ + 1), y)
    resumed = resume(model, path, y)
    assert_same_fit(resumed, whole)
    assert list(tmp_path.iterdir()) == []
    if not model.early_stopping:
        assert_same_fit(resumed.partial_fit(X, y), whole.partial_fit(X, y))


@pytest.mark.filterwarnings("ignore")
def test_a_fit_that_diverges_in_its_last_epoch_says_so_when_resumed(tmp_path):
    path = tmp_path / "fit.checkpoint"
    model = new(solver="sgd", early_stopping=True, learning_rate=lambda step: 10.0 ** (step // 3))
    model.set_params(max_iter=60, scoring="neg_mean_absolute_error")
    with pytest.warns(UserWarning, match="Training diverged by epoch"):
        whole = clone(model).fit(X, Y)
    break_off(model, path, whole.n_iter_)
    with pytest.warns(UserWarning, match="Training diverged by epoch"):
        resumed = resume(model, path)
    assert resumed.n_iter_ == whole.n_iter_ < 60
    assert_array_equal(resumed.predict(X), whole.predict(X))


# -------------------------------------------------------------------- kills and full disks


KILLED = """
import os, sys
import numpy as np
from sknumpynet import Checkpoint, NumpyMLPRegressor
path, how, when = sys.argv[1:]
X = np.random.RandomState(0).normal(size=(60, 3))
model = NumpyMLPRegressor(hidden_layer_sizes=(4,), max_iter=6, random_state=0, batch_size=20)
rename, renamed = os.replace, []
def killed_before_renaming(source, target):
    renamed.append(source)
    if len(renamed) == int(when):
        os._exit(9)
    rename(source, target)
class Limit:
    def setup(self, estimator, context): pass
    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == int(when):
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    def on_fit_task_end(self, estimator, context): pass
    def teardown(self, estimator, context): pass
callbacks = [Checkpoint(path)]
if how == "kill":
    os.replace = killed_before_renaming
else:
    callbacks.insert(0, Limit())
try:
    model.set_callbacks(*callbacks).fit(X, X[:, 0] - 2 * X[:, 1])
except OSError as error:
    print(error.errno, error.filename, error)
"""


def run(path, how, when):
    command = [sys.executable, "-c", KILLED, str(path), how, str(when)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_kill_during_a_write_leaves_no_permanent_file(tmp_path):
    path = tmp_path / "fit.checkpoint"
    for when in (3, 2):  # epochs 3, and 4 of the fit that went on after 2
        assert run(path, "kill", when).returncode == 9
        names = {each.name for each in tmp_path.iterdir()}
        assert names == {"fit.checkpoint", "fit.checkpoint.part"}
    watcher = CrashAt()
    resumed = new().set_callbacks(Checkpoint(path), watcher).fit(X, Y)
    assert watcher.seen == [4, 5, 6]
    assert list(tmp_path.iterdir()) == []
    assert_same_fit(resumed, new().fit(X, Y))


def test_kill_during_the_first_write_leaves_no_permanent_file(tmp_path):
    path = tmp_path / "fit.checkpoint"
    run(path, "kill", 1)
    assert [each.name for each in tmp_path.iterdir()] == ["fit.checkpoint.part"]
    # also where nothing is written any more
    new().set_callbacks(Checkpoint(path, every=100)).fit(X, Y)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of size")
def test_a_full_disk_names_the_file_and_leaves_the_old_one_whole(tmp_path):
    path = tmp_path / "fit.checkpoint"
    said = run(path, "limit", 2).stdout
    assert said.startswith(f"{errno.EFBIG} {path} ")
    assert "the checkpoint could not be written; the previous one is intact" in said
    assert list(tmp_path.iterdir()) == [path]
    watcher = CrashAt()
    resumed = new().set_callbacks(Checkpoint(path), watcher).fit(X, Y)
    assert watcher.seen == [3, 4, 5, 6]
    assert_same_fit(resumed, new().fit(X, Y))


def test_no_space_left(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "fit.checkpoint"
    monkeypatch.setattr(os, "fsync", full)
    model = new()
    with pytest.raises(OSError, match="No space left on device") as caught:
        model.set_callbacks(Checkpoint(path)).fit(X, Y)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert list(tmp_path.iterdir()) == []
    assert not hasattr(model, "coefs_")


class AtTheEnd(CrashAt):
    """Raises when the whole fit is over."""

    def on_fit_task_end(self, estimator, context):
        if context.task_name != "epoch":
            raise Crash


@pytest.mark.parametrize("order", [1, -1])
def test_a_callback_that_fails_at_the_end_leaves_the_file(order, tmp_path):
    path = tmp_path / "fit.checkpoint"
    with pytest.raises(Crash):
        new().set_callbacks(*[Checkpoint(path), AtTheEnd()][::order]).fit(X, Y)
    assert list(tmp_path.iterdir()) == [path]
    watcher = CrashAt()
    resumed = new().set_callbacks(Checkpoint(path), watcher).fit(X, Y)
    assert watcher.seen == []
    assert_same_fit(resumed, new().fit(X, Y))
