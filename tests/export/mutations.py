"""Damaged and hostile files: each must be refused with one clear error, or be read as it was written.

Files are of networks, of estimators for tables, and of checkpoints, whose older format is among them.
`draw_mutation` returns a setting of plain entries, and `outcome_of` what comes of it.
"""

import collections
import functools
import gc
import hashlib
import io
import json
import random
import struct
import sys
import tempfile
import threading
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
from fitted_state import fitted_state

import sknumpynet as sk
from sknumpynet import export
from sknumpynet.callbacks.checkpoint_file import read_checkpoint

from .random_tables import small_tables

ALLOWED_BYTES = 10_000_000
CHECKPOINTS = Path(__file__).resolve().parents[1] / "callbacks" / "files"


def small_models():
    """Yield fitted networks of several kinds, with the state of training."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 3))
    words = np.array(["no", "perhaps", "yes"])[np.arange(40) % 3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield sk.NumpyMLPClassifier(
            (4,), max_iter=3, normalization="batch", dropout=0.1, random_state=0
        ).fit(X, words)
        yield sk.NumpyMLPClassifier((3,), max_iter=3, solver="sgd", random_state=0).fit(
            X, np.column_stack([words, words[::-1]]).astype(object)
        )
        yield sk.NumpyMLPRegressor(
            sk.Quantile([0.1, 0.9]), (4, 3), max_iter=3, random_state=np.random.RandomState(0)
        ).fit(X.astype(np.float32), X[:, 0])


class Source(collections.namedtuple("Source", "kind content read state")):
    """A whole file: its kind, its bytes, the function that reads it, and what that returns, to compare."""


@functools.cache
def sources():
    """Return the whole files."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "whole")
        for kind, models in (("network", small_models()), ("table", small_tables())):
            for model in models:
                export.save(model, path, training_state=True)
                found.append(Source(kind, path.read_bytes(), export.load, state_of(model)))
    for path in sorted(CHECKPOINTS.iterdir()):
        content = path.read_bytes()
        found.append(
            Source("checkpoint", content, read_checkpoint, state_of(read_checkpoint(path)))
        )
    return found


def parts_of(content):
    """Return the files of a zip by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(parts, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that occur twice
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(name, content)
    return file.getvalue()


# -------------------------------------------------------------------- what is done to a file


def flip_bits(draw, content):
    content = bytearray(content)
    for _ in range(draw.choice([1, 1, 1, 2, 10])):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(content)


def flip_in_directory(draw, content):
    content = bytearray(content)
    begin = content.index(b"PK\x01\x02")
    content[draw.randrange(begin, len(content))] ^= 1 << draw.randrange(8)
    return bytes(content)


def write_bytes(draw, content):
    content = bytearray(content)
    begin, n = draw.randrange(len(content)), draw.choice([1, 4, 8, 100])
    for at in range(begin, min(begin + n, len(content))):
        content[at] = draw.choice([0, 255, draw.randrange(256)])
    return bytes(content)


def truncate(draw, content):
    cut = draw.randrange(len(content))
    return draw.choice([content[:cut], content[cut:]])


def insert(draw, content):
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.randbytes(draw.choice([1, 22, 300])) + content[at:]


def cut_out(draw, content):
    at = draw.randrange(len(content))
    return content[:at] + content[at + draw.choice([1, 8, 200]) :]


def swap_parts(draw, content):
    parts = parts_of(content)
    one, other = draw.sample(sorted(parts), 2)
    parts[one], parts[other] = parts[other], parts[one]
    return zip_of(parts)


def drop_or_add_part(draw, content):
    parts = list(parts_of(content).items())
    if draw.random() < 0.5:
        del parts[draw.randrange(len(parts))]
    else:
        names = [
            "../evil.py",
            "/etc/passwd",
            "a/b.npy",
            "0.npy",
            "extra.npy",
            "header.json",
            "C:\\x",
        ]
        parts.insert(draw.randrange(len(parts)), (draw.choice(names), b"x" * 100))
    return zip_of(parts)


def compress(draw, content):
    return zip_of(parts_of(content), draw.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]))


def bomb(draw, content):
    """Make an array a thousand times as large as the file, or tell that it is."""
    parts = parts_of(content)
    header = json.loads(parts["header.json"])
    n = 10 ** draw.choice([6, 8, 12, 18])
    header["arrays"] = [{"dtype": "<f8", "shape": [n]}, *header.get("arrays", [])[1:]]
    parts["header.json"] = json.dumps(header).encode()
    name = next(name for name in parts if name.endswith(".npy"))
    if n == 10**6 and draw.random() < 0.5:
        parts[name] = parts[name][:128] + bytes(8 * n)
        return zip_of(parts, zipfile.ZIP_DEFLATED)
    return with_digest(parts)


def lie_about_sizes(draw, content):
    """Change the sizes of a part in the zip's directory."""
    content = bytearray(content)
    starts = [i for i in range(len(content)) if content.startswith(b"PK\x01\x02", i)]
    at = draw.choice(starts) + draw.choice([20, 24, 42])
    content[at : at + 4] = struct.pack("<L", draw.choice([0, 1, 10**6, 2**31, 2**32 - 1]))
    return bytes(content)


def foreign(draw, content):
    array = io.BytesIO()
    np.savez(array, a=np.arange(3))
    return draw.choice(
        [
            lambda: b"",
            lambda: b"PK",
            array.getvalue,
            lambda: zip_of({}),
            lambda: zip_of({"header.json": b"{}"}),
            lambda: zip_of({"header.json": b"[" * 200_000, "sha256": b"0" * 64}),
            lambda: zip_of({"header.json": b'{"format": "other"}', "sha256": b"0" * 64}),
            lambda: zip_of({f"{i}.npy": b"" for i in range(12_000)}),
            lambda: zip_of({"header.json": b"[" + b"[]," * 1_000_000 + b"0]", "sha256": b"0" * 64}),
            lambda: directory_of(200_000),
            lambda: draw.randbytes(5000),
            lambda: b"PK\x05\x06" + bytes(18),
            lambda: content + b"PK\x05\x06" + bytes(18),
            lambda: content + content,
        ]
    )()


def directory_of(n):
    """Return the directory of a zip with so many parts, which are not there."""
    one = struct.Struct("<4s6H3L5H2L")
    names = [b"%d.npy" % i for i in range(n)]
    entries = [
        one.pack(b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), *[0] * 6) + name
        for name in names
    ]
    directory = b"".join(entries)
    return directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)


def with_digest(parts):
    """Return the zip with a digest that fits what it holds."""
    digest = hashlib.sha256()
    for name, content in parts.items():
        if name != "sha256":
            digest.update(content)
    return zip_of({**parts, "sha256": digest.hexdigest().encode()})


def newer(draw, content):
    parts = parts_of(content)
    header = json.loads(parts["header.json"])
    header["version"] = draw.choice([3, 99, 0, -1, "1", None, 1.5, True])
    if draw.random() < 0.5:
        header["written_by"] = "9.9"
    parts["header.json"] = json.dumps(header).encode()
    return with_digest(parts)


def name_a_class(draw, content):
    """Name a class of another package in place of that of an object."""
    parts = parts_of(content)
    name = draw.choice(["os.system", "Popen", "Function", "Custom", "__import__", "Options", ""])
    header = json.loads(parts["header.json"])
    if draw.random() < 0.3:
        header["estimator"] = name
    else:
        place = header.get("parameters", header)
        place[draw.choice(sorted(place))] = {"object": [name, {"args": "echo"}]}
    parts["header.json"] = json.dumps(header).encode()
    return with_digest(parts)


def edit_header(draw, content):
    """Change a value in the header, and leave the digest as it is."""
    parts = parts_of(content)
    digest = parts.get("sha256")
    edited = parts_of(rewrite_header(draw, content))
    return zip_of(
        {**edited, "sha256": digest} if digest else parts | {"header.json": edited["header.json"]}
    )


MUTATIONS = {
    mutation.__name__: mutation
    for mutation in (
        flip_bits, flip_in_directory, write_bytes, truncate, insert, cut_out, swap_parts,
        drop_or_add_part, compress, bomb, lie_about_sizes, foreign, newer, name_a_class, edit_header,
    )
}  # fmt: skip


def rewrite_header(draw, content):
    """Change a value in the header, and make the digest fit: a file that someone has made up."""
    parts = parts_of(content)
    header = json.loads(parts["header.json"])
    place = header
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = draw.choice(list(keys))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and draw.random() < 0.85:
            place = inner
            continue
        break
    place[key] = draw.choice(
        [None, True, 0, 1, -1, 5, 10**30, 0.5, 1e308, "", "Dense", "relu", [], {}, [1, 2], {"array": 0},
         {"array": 1}, {"tuple": []}, {"float": "nan"}, {"object": ["ReLU", {}]}, {"floats": 2}],
    )  # fmt: skip
    parts["header.json"] = json.dumps(header).encode()
    return with_digest(parts)


def each_edit(content):
    """Yield files in each of which one value of the header, or one array, is another, and the digest fits."""
    parts = parts_of(content)
    header = json.loads(parts["header.json"])
    places = [place for name in ("encoder", "categories", "ensemble", "scale", "record")
              for place in _places_in(header.get(name, {}), (name,))]  # fmt: skip
    for place in places:
        for value in (-1, 0, 1, 7, True, None, "", 0.5, [], {"array": 0}):
            edited = json.loads(parts["header.json"])
            inside = edited
            for key in place[:-1]:
                inside = inside[key]
            inside[place[-1]] = value
            yield place, value, with_digest({**parts, "header.json": json.dumps(edited).encode()})
    for i in range(len(header["arrays"])):
        array = np.load(io.BytesIO(parts[f"{i}.npy"]))
        for change in (lambda a: a[:-1], lambda a: np.concatenate([a, a[:1]]), lambda a: a[np.newaxis],
                       lambda a: a + 1000, lambda a: a - 2, lambda a: a.astype(np.float32),
                       lambda a: a.astype(np.int64)):  # fmt: skip
            try:
                changed = change(array)
            except (OverflowError, TypeError, ValueError):  # of text, of bytes
                continue
            file, edited = io.BytesIO(), json.loads(parts["header.json"])
            np.save(file, changed)
            edited["arrays"][i] = {"dtype": changed.dtype.str, "shape": list(changed.shape)}
            text = json.dumps(edited).encode()
            yield (
                i,
                "array",
                with_digest({**parts, "header.json": text, f"{i}.npy": file.getvalue()}),
            )


def _places_in(value, place):
    """Yield the keys to every value inside that is no container, or the tag of an array."""
    if isinstance(value, dict | list) and value and "array" not in value:
        for key in value if isinstance(value, dict) else range(min(len(value), 3)):
            yield from _places_in(value[key], (*place, key))
    else:
        yield place


# -------------------------------------------------------------------- what comes of it


class Anew(dict):
    """Has seen nothing: objects are compared by what they hold, and not by being the same one."""

    def __contains__(self, key):
        return False


def state_of(thing):
    return fitted_state(thing, seen=Anew())


class Watch:
    """Notes what would run code in the thread that reads: imports, compiling, other processes."""

    KINDS = (
        "import",
        "exec",
        "compile",
        "pickle",
        "os",
        "subprocess",
        "marshal",
        "ctypes",
        "socket",
    )

    def __init__(self):
        self.seen = None
        self.thread = None

    def __call__(self, event, arguments):
        # Other threads go on meanwhile, those of a cluster in this process among them.
        if self.thread == threading.get_ident() and event.split(".")[0] in self.KINDS:
            self.seen.append(event)

    def begin(self):
        gc.disable()  # what others left behind is not closed while the file is read
        self.seen, self.thread = [], threading.get_ident()

    def end(self):
        self.thread = None
        gc.enable()
        return self.seen


@functools.cache
def watch():
    """Return the one watch of the process, which lasts as long as it does."""
    made = Watch()
    sys.addaudithook(made)
    for source in sources():  # what is imported late has been by now
        with tempfile.TemporaryDirectory() as folder:
            outcome(source, source.content, Path(folder, "whole"))
    return made


def draw_mutation(draw):
    """Draw a whole file, a mutation and a seed for it."""
    return {
        "source": draw.randrange(len(sources())),
        "mutation": draw.choice(sorted(MUTATIONS)),
        "seed": draw.randint(0, 10**9),
    }


def outcome_of(setting):
    """Return the kind of the file, and 'refused' or 'the same', or what is wrong."""
    source = sources()[setting["source"]]
    content = MUTATIONS[setting["mutation"]](random.Random(setting["seed"]), source.content)
    with tempfile.TemporaryDirectory() as folder:
        return source.kind, outcome(source, content, Path(folder, "damaged"), watch())


def outcome(source, content, path, watch=None):
    """Return 'refused' or 'the same', or what is wrong."""
    path.write_bytes(content)
    own = not tracemalloc.is_tracing()
    if own:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before, loaded = tracemalloc.get_traced_memory()[0], None
    if watch:
        watch.begin()
    try:
        loaded = source.read(path)
        result = None
    except ValueError as error:
        result = "refused" if repr(str(path)) in str(error) else f"no file named: {error}"
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    peak = tracemalloc.get_traced_memory()[1] - before
    seen = watch.end() if watch else []
    if own:
        tracemalloc.stop()
    if seen:
        return f"ran code: {seen[0]}"
    if peak > 10 * len(content) + ALLOWED_BYTES:
        return f"{peak / 1e6:.0f} MB for a file of {len(content)} bytes"
    if result is None:
        result = "the same" if state_of(loaded) == source.state else "another"
    return result
