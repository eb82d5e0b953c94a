"""Damaged and hostile files: each must be refused with one clear error, or be the same network.

``python tests/export/mutations.py 2000`` tries so many, and prints what came of them.
"""

import collections
import io
import json
import random
import struct
import sys
import tempfile
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fitted_state import fitted_state

import sknumpynet as sk
from sknumpynet import export

ALLOWED_BYTES = 10_000_000


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
    header["arrays"][0] = {"dtype": "<f8", "shape": [n]}
    parts["header.json"] = json.dumps(header).encode()
    if n == 10**6 and draw.random() < 0.5:
        parts["0.npy"] = parts["0.npy"][:128] + bytes(8 * n)
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
            lambda: draw.randbytes(5000),
            lambda: b"PK\x05\x06" + bytes(18),
            lambda: content + b"PK\x05\x06" + bytes(18),
            lambda: content + content,
        ]
    )()


def with_digest(parts):
    """Return the zip with a digest that fits what it holds."""
    import hashlib

    digest = hashlib.sha256()
    for name, content in parts.items():
        if name != "sha256":
            digest.update(content)
    return zip_of({**parts, "sha256": digest.hexdigest().encode()})


def newer(draw, content):
    parts = parts_of(content)
    header = json.loads(parts["header.json"])
    header["version"] = draw.choice([2, 99, 0, -1, "1", None, 1.5, True])
    if draw.random() < 0.5:
        header["written_by"] = "9.9"
    parts["header.json"] = json.dumps(header).encode()
    return with_digest(parts)


def name_a_class(draw, content):
    """Name a class that is none of ours, where an object stands."""
    parts = parts_of(content)
    name = draw.choice(["os.system", "Popen", "Function", "Custom", "__import__", "Options", ""])
    header = json.loads(parts["header.json"])
    if draw.random() < 0.3:
        header["estimator"] = name
    else:
        header["parameters"]["activation"] = {"object": [name, {"args": "echo"}]}
    parts["header.json"] = json.dumps(header).encode()
    return with_digest(parts)


MUTATIONS = (
    flip_bits, flip_in_directory, write_bytes, truncate, insert, cut_out, swap_parts,
    drop_or_add_part, compress, bomb, lie_about_sizes, foreign, newer, name_a_class,
)  # fmt: skip


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


# -------------------------------------------------------------------- what comes of it


def outcome(model, content, path):
    """Return 'refused' or 'the same', or what is wrong."""
    path.write_bytes(content)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        loaded = export.load(path)
        result = "the same" if state_of(loaded) == state_of(model) else "another network"
    except ValueError as error:
        result = "refused" if repr(str(path)) in str(error) else f"no file named: {error}"
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    peak = tracemalloc.get_traced_memory()[1] - before
    if peak > 10 * len(content) + ALLOWED_BYTES:
        result = f"{peak / 1e6:.0f} MB for a file of {len(content)} bytes"
    return result


class Anew(dict):
    """Has seen nothing: objects are compared by what they hold, and not by being the same one."""

    def __contains__(self, key):
        return False


def state_of(model):
    return fitted_state(model, seen=Anew())


def try_mutations(n, folder, seed=0):
    """Return the outcomes of so many files, counted by mutation and outcome."""
    folder, models = Path(folder), list(small_models())
    contents = []
    for model in models:
        export.save(model, folder / "whole", training_state=True)
        contents.append((folder / "whole").read_bytes())
    found = collections.Counter()
    tracemalloc.start()
    try:
        for number in range(n):
            draw = random.Random(f"{seed} {number}")
            mutation, which = MUTATIONS[number % len(MUTATIONS)], draw.randrange(len(models))
            content = mutation(draw, contents[which])
            found[mutation.__name__, outcome(models[which], content, folder / "damaged")] += 1
    finally:
        tracemalloc.stop()
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = try_mutations(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, folder)
    for (mutation, result), times in sorted(found.items()):
        print(f"{mutation:20} {result:40} {times:6}")
    sys.exit(any(result not in ("refused", "the same") for _, result in found))
