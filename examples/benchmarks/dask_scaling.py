# SPDX-License-Identifier: BSD-3-Clause
"""What a fit on a Dask cluster costs beside the local one, and what it would take on more machines.

Workers are processes of this machine, with one thread each. Measured are CPU seconds, which other processes
change little, bytes and rounds; and the time of a step by the clock, which is a speed-up if the machine has
a core for each worker and a few more. From these comes a model of the time on W workers, which is checked
against the runs and drawn to 64. To repeat:

    python examples/benchmarks/dask_scaling.py --data-dir DIR --output results
    python examples/benchmarks/dask_scaling.py --workers 1 2 4 8 --epochs 5     # with 10 cores or more
    python examples/benchmarks/dask_scaling.py --rows 20000 --workers 1 2 --epochs 1
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy is imported, here and in the workers

import time
import uuid
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import distributed
import numpy as np
from common import Report, arguments
from workloads import mnist

from sknumpynet import NumpyMLPClassifier
from sknumpynet.core.training.lbfgs import Objective
from sknumpynet.dask import DaskNumpyMLPClassifier, comm, lbfgs, minibatch

N_COLUMNS, CHUNK = 100, 10_000
MNIST_EPOCHS = 10
NETWORKS = {"(100,)": (100,), "(500, 500)": (500, 500)}
# Of the drawing: a network between machines, assumed and not measured.
LATENCY, BANDWIDTH = 0.3e-3, 1.25e9


def rows_of(number):
    """Return X and y of a chunk: the same whatever the number of workers."""
    rng = np.random.default_rng(number)
    X = rng.normal(size=(CHUNK, N_COLUMNS))
    slope = np.random.default_rng(12345).normal(size=(N_COLUMNS, 3))
    return X, np.argmax(X @ slope + rng.normal(size=(CHUNK, 3)), axis=1)


def collections(n_rows):
    """Return X and y as Dask arrays that are made on the workers."""
    import dask.array as da

    n = n_rows // CHUNK
    X = da.map_blocks(
        lambda block_id: rows_of(block_id[0])[0],
        chunks=((CHUNK,) * n, (N_COLUMNS,)),
        dtype=float,
        meta=np.empty((0, 0)),
    )
    y = da.map_blocks(
        lambda block_id: rows_of(block_id[0])[1],
        chunks=((CHUNK,) * n,),
        dtype=int,
        meta=np.empty(0, int),
    )
    return X, y


def local_rows(n_rows):
    parts = [rows_of(number) for number in range(n_rows // CHUNK)]
    return np.concatenate([X for X, _ in parts]), np.concatenate([y for _, y in parts])


def model_of(cls, sizes, **parameters):
    return cls(
        hidden_layer_sizes=sizes, random_state=0, tol=0, n_iter_no_change=np.inf, **parameters
    )


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


# ---------------------------------------------------------------------------- the local fit


def local_seconds(X, y, sizes, batch, epochs):
    """Return the CPU seconds of a step, those by the clock in the median epoch, and the fit."""
    model = model_of(NumpyMLPClassifier, sizes, batch_size=batch, max_iter=epochs)
    n_steps = -(-len(X) // batch)
    started = time.process_time()
    fitted(model, X, y)
    cpu = (time.process_time() - started) / (epochs * n_steps)
    return cpu, np.median(model.history_["seconds"]) / n_steps, model


def parts_of_a_step(X, y, sizes, batches):
    """Return CPU seconds of a step that do not depend on the rows, and those for each row."""
    n = min(len(X), 40_000)
    found = [local_seconds(X[:n], y[:n], sizes, batch, 1)[0] for batch in batches]
    slope, constant = np.polyfit(batches, found, 1)
    return max(constant, 0.0), slope


# ---------------------------------------------------------------------------- the fits on the cluster


class Watched(minibatch.Rounds):
    """Rounds whose reports are kept."""

    reports: list = []

    def _take_in(self, state, reports):
        Watched.reports.append(reports)
        super()._take_in(state, reports)


def cluster_seconds(X, y, sizes, batch, epochs):
    """Return what a step costs on a cluster, and the fit."""
    model = model_of(DaskNumpyMLPClassifier, sizes, batch_size=batch, max_iter=epochs)
    Watched.reports = []
    minibatch.Rounds = Watched
    fitted(model, X, y)
    ranks = [report for reports in Watched.reports for report in reports]
    n_steps = epochs * -(-X.shape[0] // batch)
    # of each epoch, that of the rank that took longest
    clock = [
        max(each) for reports in Watched.reports for each in zip(*(r.seconds for r in reports))
    ]
    total = {name: sum(each.sums[name] for each in ranks) for name in ("cpu", "bytes", "seconds")}
    return {
        "cpu": total["cpu"] / n_steps,
        "clock": np.median(clock) * epochs / n_steps,
        "bytes": total["bytes"] / n_steps,
        "wait": total["seconds"] / n_steps / len(Watched.reports[0]),
        "sums": Watched.reports[0][0].sums["n"] / n_steps * len(Watched.reports),
    }, model


def largest_difference(model, local):
    pairs = zip(model.coefs_ + model.intercepts_, local.coefs_ + local.intercepts_)
    largest = max(np.abs(each).max() for each in local.coefs_)
    return max(np.abs(a - b).max() for a, b in pairs) / largest


# ---------------------------------------------------------------------------- sums alone


def _prepare():
    comm.Switchboard.of(distributed.get_worker())


def _sums(group, rank, addresses, sizes, repeats):
    distributed.secede()
    found = {}
    with comm.Ranks(group, rank, addresses, 60) as ranks:
        for size in sizes:
            vector = np.ones(size // 8)
            for _ in range(20):
                ranks.sum_in_place(vector)
            took, cpu = [], time.process_time()
            n = repeats if size <= 100_000 else repeats // 10
            for _ in range(n):
                started = time.perf_counter()
                ranks.sum_in_place(vector)
                took.append(time.perf_counter() - started)
                vector[...] = 1
            found[size] = np.median(took), (time.process_time() - cpu) / n
        ranks.say_goodbye()
    return found


def sums_alone(client, sizes, repeats=200):
    """Return for each size of a vector the median seconds of a sum, and the CPU seconds of a rank."""
    addresses = sorted(client.scheduler_info(n_workers=-1)["workers"])
    client.gather([client.submit(_prepare, workers=[each], pure=False) for each in addresses])
    group = uuid.uuid4().hex
    ranks = [
        client.submit(_sums, group, rank, addresses, sizes, repeats, workers=[each], pure=False)
        for rank, each in enumerate(addresses)
    ]
    return client.gather(ranks)[0]


# ---------------------------------------------------------------------------- the model


@dataclass
class Model:
    """The time of a step on W workers, from what was measured on this machine.

    ``constant + per_row * batch / W`` to compute, and for a sum, where W is above 1, for each message its
    CPU seconds and a latency, and the bytes through a bandwidth.
    """

    constant: float
    per_row: float
    n_bytes: int
    per_message: float
    per_byte: float
    latency: float = LATENCY
    bandwidth: float = BANDWIDTH

    def messages(self, n_workers):
        """Return how many messages a rank sends for a sum, how many follow each other, and their bytes."""
        if n_workers == 1:
            return 0, 0, 0.0
        hops = int(np.ceil(np.log2(n_workers)))
        if n_workers > 2 and self.n_bytes >= comm.LONG:
            return 2 * hops, 2 * hops, 2 * self.n_bytes * (n_workers - 1) / n_workers
        if n_workers > comm.FEW:
            return hops, hops, hops * self.n_bytes
        return n_workers - 1, 1, (n_workers - 1) * self.n_bytes

    def cpu(self, batch, n_workers):
        """Return the CPU seconds of a step, of all workers together."""
        sent, _, n_bytes = self.messages(n_workers)
        of_sum = sent * self.per_message + n_bytes * self.per_byte
        return n_workers * (self.constant + of_sum) + self.per_row * batch

    def seconds(self, batch, n_workers):
        """Return the seconds of a step by the clock, each worker having a machine of its own."""
        _, hops, n_bytes = self.messages(n_workers)
        wire = hops * self.latency + n_bytes / self.bandwidth
        return self.cpu(batch, n_workers) / n_workers + wire

    def speed_up(self, batch, n_workers):
        """Return how many times as fast as one worker."""
        return self.seconds(batch, 1) / self.seconds(batch, n_workers)


def figure(models, batches):
    """Return a drawing of the model's speed-up on up to 64 workers."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7.5, 3.6), layout="constrained")
    workers = [1, 2, 4, 8, 16, 32, 64]
    for axes, (name, model) in zip(drawing.subplots(1, len(models), sharey=True), models.items()):
        for batch in batches:
            axes.plot(
                workers,
                [model.speed_up(batch, each) for each in workers],
                marker="o",
                label=f"batches of {batch:,}",
            )
        axes.plot(workers, workers, color="0.8", zorder=0)
        axes.set(xscale="log", yscale="log", title=name, xlabel="workers")
        axes.set_xticks(workers, workers)
        axes.axhline(1, color="0.8", zorder=0)
    drawing.axes[0].set_ylabel("speed-up: a model, not a measurement")
    drawing.axes[0].legend(frameon=False)
    return drawing


def main():
    parser = arguments(__doc__, leave_out=("--threads", "--dtype", "--rounds"))
    parser.add_argument("--rows", type=int, default=200_000, help="rows (default: 200,000)")
    parser.add_argument("--epochs", type=int, default=2, help="epochs of each fit (default: 2)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="of the cluster")
    parser.add_argument("--batches", type=int, nargs="+", default=[200, 2000, 20_000])
    parser.add_argument("--wide", type=int, default=40_000, help="rows for (500, 500)")
    options = parser.parse_args()
    report = Report("dask_scaling", options.output)
    report.say(f"Dask distributed {distributed.__version__}; {options.rows} x {N_COLUMNS}, float64")

    X, y = local_rows(options.rows)
    # at most so many steps, each of which costs the same
    cases = [("(100,)", batch, min(options.rows, 200 * batch)) for batch in options.batches]
    if options.wide:
        cases.append(("(500, 500)", 2000, options.wide))
    local, steps, models = {}, {}, {}
    for name, batch, n in cases:
        local[name, batch] = local_seconds(X[:n], y[:n], NETWORKS[name], batch, options.epochs)
    for name in dict.fromkeys(name for name, _, _ in cases):
        steps[name] = parts_of_a_step(X, y, NETWORKS[name], [200, 1000, 4000])

    rows, sums_rows, evaluations = [], [], []
    for n_workers in options.workers:
        with distributed.Client(
            n_workers=n_workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as client:
            if n_workers > 1:
                sizes = [80, 10_000, 100_000, 1_000_000, 8_000_000]
                for size, (took, cpu) in sums_alone(client, sizes).items():
                    sums_rows.append(
                        {
                            "workers": n_workers,
                            "bytes": size,
                            "ms": took * 1e3,
                            "CPU ms of a rank": cpu * 1e3,
                        }
                    )
            for name, batch, n in cases:
                there = collections(n)
                found, model = cluster_seconds(*there, NETWORKS[name], batch, options.epochs)
                alone, alone_by_clock, its_model = local[name, batch]
                rows.append(
                    {
                        "network": name,
                        "batch": batch,
                        "workers": n_workers,
                        "CPU ms a step": found["cpu"] * 1e3,
                        "local": alone * 1e3,
                        "ratio": found["cpu"] / alone,
                        "kB sent a step": found["bytes"] / 1e3,
                        "sums a step": found["sums"],
                        "ms waited": found["wait"] * 1e3,
                        "ms by the clock": found["clock"] * 1e3,
                        "local by the clock": alone_by_clock * 1e3,
                        "speed-up": alone_by_clock / found["clock"],
                        "largest difference": largest_difference(model, its_model),
                    }
                )
                print(f"{n_workers} workers: {rows[-1]}", flush=True)
            evaluations.append(evaluation_costs(n_workers, X, y))
    report.say("\nSums alone:")
    report.table(sums_rows)
    for name, (constant, per_row) in steps.items():
        models[name] = model_from(sums_rows, constant, per_row, NETWORKS[name])
    for row in rows:
        model = models[row["network"]]
        row["model's CPU ms"] = model.cpu(row["batch"], row["workers"]) * 1e3
        row["model's speed-up here"] = replace(model, latency=0, bandwidth=np.inf).speed_up(
            row["batch"], row["workers"]
        )
    report.say("Minibatches, Adam; CPU of all workers together:")
    report.table(rows)
    report.say("L-BFGS, an evaluation:")
    report.table(evaluations)
    report.say(
        f"The model, with machines that are {LATENCY * 1e3:g} ms and {BANDWIDTH / 1e9:g} GB/s apart: speed-up"
    )
    report.table(
        [
            {"network": name, "batch": batch}
            | {f"{n} workers": model.speed_up(batch, n) for n in (2, 4, 8, 16, 32, 64)}
            for name, model in models.items()
            for batch in options.batches
        ]
    )
    if options.data_dir is not None:
        report.say(f"MNIST, (100,), {MNIST_EPOCHS} epochs of Adam, what larger batches cost:")
        report.table(accuracies(options.data_dir))
    report.csv(rows)
    report.picture(figure, models, options.batches)


def accuracies(data_dir):
    """Return the test scores of batches that grow with the workers, with the same rate and with a larger."""
    X, y, X_test, y_test = mnist(data_dir)
    X, X_test = X.astype("float32") / 255, X_test.astype("float32") / 255
    rows = []
    for n_workers in (1, 4, 16):
        for root in (0, 0.5) if n_workers > 1 else (0,):
            rate, batch = 1e-3 * n_workers**root, 200 * n_workers
            model = model_of(
                NumpyMLPClassifier,
                (100,),
                batch_size=batch,
                learning_rate_init=rate,
                max_iter=MNIST_EPOCHS,
                dtype="float32",
            )
            score = fitted(model, X, y).score(X_test, y_test)
            rows.append({"batch": batch, "learning rate": rate, "test score": f"{score:.4f}"})
    return rows


@contextmanager
def evaluations_of(objective):
    """Yield a list that takes the seconds of each evaluation of an objective of L-BFGS."""
    mean_loss, seconds = objective.mean_loss, []

    def timed(self, params):
        started = time.perf_counter()
        found = mean_loss(self, params)
        seconds.append(time.perf_counter() - started)
        return found

    objective.mean_loss = timed
    try:
        yield seconds
    finally:
        objective.mean_loss = mean_loss


def evaluation_costs(n_workers, X, y):
    """Return what an evaluation of L-BFGS costs here and there."""
    sizes, n = NETWORKS["(100,)"], 5
    parameters = {"solver": "lbfgs", "max_iter": n}
    started = time.process_time()
    with evaluations_of(Objective) as here:
        local = fitted(model_of(NumpyMLPClassifier, sizes, **parameters), X, y)
    alone = time.process_time() - started
    client = distributed.default_client()
    before = sum(client.run(time.process_time).values())
    with evaluations_of(lbfgs.ClusterObjective) as there:
        model = fitted(model_of(DaskNumpyMLPClassifier, sizes, **parameters), *collections(len(X)))
    cpu = sum(client.run(time.process_time).values()) - before
    n_bytes = 8 * sum(each.size for each in model.coefs_ + model.intercepts_)
    return {
        "workers": n_workers,
        "evaluations": len(there),
        "ms by the clock": np.median(there) * 1e3,
        "local by the clock": np.median(here) * 1e3,
        "speed-up": np.median(here) / np.median(there),
        "CPU ms, rows made and all": cpu / len(there) * 1e3,
        "local CPU ms": alone / len(here) * 1e3,
        "kB of parameters": n_bytes / 1e3,
        "largest difference": largest_difference(model, local),
    }


def model_from(sums, constant, per_row, sizes):
    """Return the model: the CPU of a message and of a byte are those of the sums of two ranks."""
    two = [row for row in sums if row["workers"] == 2] or sums
    short, long = two[0], two[-1]
    per_message = short["CPU ms of a rank"] / 1e3
    per_byte = (long["CPU ms of a rank"] - short["CPU ms of a rank"]) / 1e3 / long["bytes"]
    widths = [N_COLUMNS, *sizes, 3]
    n_params = sum((a + 1) * b for a, b in pairwise(widths))
    return Model(constant, per_row, 8 * n_params, per_message, per_byte)


if __name__ == "__main__":
    main()
