# SPDX-License-Identifier: BSD-3-Clause
"""Files that cannot be written: the error names the argument, and the folder that does not exist."""

import errno
import os

import numpy as np
import pytest

import sknumpynet._container as container
from sknumpynet import NumpyMLPRegressor, TabularMLPRegressor, animate_training, export

X = np.linspace(0, 1, 20).reshape(-1, 1)
MODEL = NumpyMLPRegressor(hidden_layer_sizes=(2,), max_iter=2, random_state=0).fit(X, X.ravel())


def save(path):
    export.save(MODEL, path)


def save_table(path):
    table = TabularMLPRegressor(first_cycle=1, n_cycles=1, random_state=0).fit(X, X.ravel())
    export.save(table, path)


def to_onnx(path):
    pytest.importorskip("onnx")
    export.to_onnx(MODEL, path)


def save_animation(path):
    pytest.importorskip("matplotlib").use("Agg")
    pytest.importorskip("PIL")
    animate_training(MODEL, X, X.ravel(), epochs=1).save(path)


WRITERS = [save, save_table, to_onnx, save_animation]


@pytest.mark.parametrize("write", WRITERS)
def test_folder_that_does_not_exist_is_named(write, tmp_path):
    folder = tmp_path / "no folder"
    with pytest.raises(FileNotFoundError, match="no such folder for the file: create it") as raised:
        write(folder / "model.gif")
    assert raised.value.filename == str(folder) and raised.value.errno == errno.ENOENT
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", WRITERS)
def test_folder_in_place_of_a_file(write, tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder: name a file in it") as raised:
        write(tmp_path)
    assert raised.value.filename == str(tmp_path)
    assert not list(tmp_path.iterdir())


def to_folder(path):
    export.to_folder(MODEL, path)


@pytest.mark.parametrize("path", [None, 5, b"model", ""])
@pytest.mark.parametrize("function", [*WRITERS, to_folder, export.load])
def test_path_of_another_type(function, path):
    name = "folder" if function is to_folder else "path"
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be a .*got {path!r}$"):
        function(path)


def test_full_disk_is_reported_for_the_file_that_was_asked_for(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "the temporary file")

    monkeypatch.setattr(container, "_write_zip", full)
    path = tmp_path / "model"
    with pytest.raises(OSError, match="No space left on device") as raised:
        export.save(MODEL, path)
    assert raised.value.filename == str(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fps", [None, "10", 0, np.nan, np.inf, -1])
def test_frames_per_second(fps, tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    animation = animate_training(MODEL, X, X.ravel(), epochs=1)
    with pytest.raises(ValueError, match="fps must be a number above 0; got "):
        animation.save(tmp_path / "a.gif", fps=fps)
