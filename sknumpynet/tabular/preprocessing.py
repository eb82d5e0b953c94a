# SPDX-License-Identifier: BSD-3-Clause
"""Encode the columns of a table as inputs of the networks, fitted on the training rows.

    numbers       t = (x - median) / (q75 - q25)        input = t / sqrt(1 + (t / clip)^2)
                  if most of them are equal (q75 = q25), also a column 0 or 1 for each other frequent one
    missing       the median, and a column 1.664 or 0 if training rows have missing values
    categories    a column 0 or 1 for each level, -1 or 1 for two of them; rare, unknown and missing: zeros
    many levels   the frequent ones as above, with the mean target of the level and the log of its count

The smooth clip keeps every input within -clip and clip, by default -3 and 3 (Holzmueller et al. 2024). Mean
targets of training rows are cross-fitted for each member: without the fold of the row, and without the fold
held out from the member. If they were the same for all members, the label of a held-out row could be inferred
from them: the lower its own mean is compared with those of the other rows of the level, the higher its label
must be.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import islice
from numbers import Real
from typing import Any

import numpy as np

from sknumpynet.core.arrays import Array
from sknumpynet.fitting.rollback import warn
from sknumpynet.tabular.columns import Table, named

MISSING_VALUE = 1.664  # the value of the ones in a standardised 0/1 column with one in five
PRIOR_ROWS = 10.0  # rows of the overall mean in the mean target of a level
CLIP = 3.0  # limit of the inputs (Holzmueller et al. 2024)
NUMBER = re.compile(
    r"[-+]?[$€£¥₹]? ?[-+]?(\d+|\d{1,3}([,.' ]\d{3})+)([.,]\d+)? ?[$€£¥₹%]?"  # 1,234.50 or 1.234,50
)
DATE = re.compile(
    r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{4})([ T]\d[\d:.]*( ?Z|[-+][\d:]+)?)?"
)


@dataclass
class Category:
    """How one column of categories is encoded."""

    index: int
    level_codes: dict[Hashable, int]
    columns: Array  # level -> its column, -1 for none
    n_columns: int
    signed: bool
    many: bool = False
    # (levels + 1, targets), the last for unknown
    means: Array = field(default_factory=lambda: np.empty(0))
    log_counts: Array = field(default_factory=lambda: np.empty(0))  # (levels + 1,)

    def fit_means(self, codes: Array, targets: Array, prior_rows: float = PRIOR_ROWS) -> None:
        """Compute mean targets and counts of the levels."""
        sums, counts = sums_by_level(codes, len(self.level_codes), targets)
        self.means = shrunken(sums, counts, targets.mean(axis=0), prior_rows)
        self.log_counts = np.log1p(counts)
        self.log_counts[-1] = 0

    def cross_fitted(
        self,
        codes: Array,
        targets: Array,
        fold: Array,
        n_folds: int,
        prior_rows: float = PRIOR_ROWS,
    ) -> Array:
        """Return mean targets (folds, n, t): entry k is without the rows of fold k and of the row's fold."""
        n_levels, folds = len(self.level_codes), range(n_folds)
        parts = [
            sums_by_level(codes[fold == each], n_levels, targets[fold == each]) for each in folds
        ]
        all_sums, all_counts = (np.array([part[i] for part in parts]) for i in (0, 1))
        means = np.empty((n_folds, *targets.shape))
        for row_fold in folds:
            rows = np.flatnonzero(fold == row_fold)
            for blind in folds:
                known = [each for each in folds if each not in (row_fold, blind)]
                sums, counts = all_sums[known].sum(axis=0), all_counts[known].sum(axis=0)
                prior = sums.sum(axis=0) / max(1.0, counts.sum())
                means[blind, rows] = shrunken(sums, counts, prior, prior_rows)[codes[rows]]
        return means


@dataclass
class TableEncoder:
    """Converts tables to matrices; fitted on the training table.

    Parameters
    ----------
    categorical_features : "from_dtype", None or array-like
        Which columns are categories: by their types, none, or by indices, names or a mask.
    max_levels : int
        Maximum number of levels of a column that are one-hot encoded.
    min_rows : int
        Minimum number of rows of such a level.
    prior_rows : float
        Rows of the overall mean in the mean target of a level.
    clip : float
        Limit of the inputs that are numbers.
    """

    categorical_features: Any = "from_dtype"
    max_levels: int = 50
    min_rows: int = 3
    prior_rows: float = PRIOR_ROWS
    clip: float = CLIP
    names: list[str] | None = None
    n_columns: int = 0
    is_category: Array = field(default_factory=lambda: np.zeros(0, bool))
    categories: list[Category] = field(default_factory=list)
    # Frequent numbers that get columns of their own, and the position of each one's column among those kept
    spikes: Array = field(default_factory=lambda: np.zeros(0))
    spiked: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def fit_transform(
        self, table: Table, targets: Array, fold: Array, n_folds: int
    ) -> tuple[Array, Array | None]:
        """Fit on all rows and return their inputs, (n, d), and mean targets, (folds, n, c) or None.

        ``targets``, (n, t), and ``fold``, (n,), are for the cross-fitted means; their entry k is for the
        members from which fold k is held out.
        """
        self.names, self.n_columns = table.names, table.n_columns
        self.is_category = self._which(table)
        self.numeric = np.flatnonzero(~self.is_category)
        numbers = self._numbers(table)
        self._fit_numbers(numbers)
        rows_needed = self.min_rows if table.n_rows >= 50 else 1
        self.categories, coded = [], []
        for i in np.flatnonzero(self.is_category):
            codes, levels = table.categories(int(i))
            if isinstance(self.categorical_features, str) and len(levels) > self.max_levels:
                warn_of_text(table, int(i), levels)
            category = self._fit_category(int(i), codes, levels, rows_needed)
            if category.many:
                category.fit_means(codes, targets, self.prior_rows)
            elif category.n_columns == 0:
                continue
            self.categories.append(category)
            coded.append(codes)
        many = [(each, codes) for each, codes in zip(self.categories, coded) if each.many]
        counts = [each.log_counts[codes] for each, codes in many]
        self.count_center, self.count_scale = robust_scale(
            np.column_stack(counts) if counts else np.empty((table.n_rows, 0))
        )
        if not (self.categories or any(map(len, (self.embedded, self.plain, self.with_gaps)))):
            warn(
                "no column of X varies: constant and empty columns are left out, and every prediction will "
                "be the same"
            )
        inputs = self._assemble(numbers, coded)
        own = None
        if many:
            parts = [
                each.cross_fitted(codes, targets, fold, n_folds, self.prior_rows)
                for each, codes in many
            ]
            own = np.concatenate(parts, axis=2)
            self.mean_center, self.mean_scale = robust_scale(self._means(coded))
            own = smooth_clip(own, self.mean_center, self.mean_scale, self.clip)
        return inputs, own

    def transform(self, table: Table) -> Array:
        """Return the inputs for another table in the same order, with mean targets last, in float64."""
        numbers = self._numbers(table)
        coded = []
        for category in self.categories:
            codes, levels = table.categories(category.index)
            own = [category.level_codes.get(level, -1) for level in levels]
            if levels and max(own) < 0:
                warn_of_other_kind(table.called(category.index), category.level_codes, levels)
            if levels and min(own) < 0 and not category.many:
                unknown = [level for level, code in zip(levels, own) if code < 0]
                warn_of_spelling(table.called(category.index), category.level_codes, unknown)
            coded.append(np.array([*own, -1], np.int64)[codes])
        inputs = self._assemble(numbers, coded)
        if any(category.many for category in self.categories):
            means = smooth_clip(self._means(coded), self.mean_center, self.mean_scale, self.clip)
            inputs = np.hstack([inputs, means])
        return inputs

    def _means(self, coded: list[Array]) -> Array:
        pairs = zip(self.categories, coded)
        return np.column_stack([each.means[codes] for each, codes in pairs if each.many])

    def in_order(self, table: Table) -> Table:
        """Return the table with its columns as in fit, or raise and name the wrong columns."""
        if self.names is None or table.names is None:
            if table.n_columns != self.n_columns:
                raise ValueError(
                    f"X has {table.n_columns} features, but this estimator is expecting {self.n_columns} "
                    "features as input, as in fit"
                    + ("" if self.names is None else f": {named(self.names)}")
                )
            return table
        if table.names == self.names:
            return table
        unknown = sorted(set(table.names) - set(self.names))
        missing = sorted(set(self.names) - set(table.names))
        if unknown or missing:
            message = "The feature names should match those that were passed during fit.\n"
            if unknown:
                message += "Feature names unseen at fit time:\n"
                message += "".join(f"- {name}\n" for name in unknown[:5])
                message += "- ...\n" if len(unknown) > 5 else ""
            if missing:
                message += "Feature names seen at fit time, yet now missing:\n"
                message += "".join(f"- {name}\n" for name in missing[:5])
                message += "- ...\n" if len(missing) > 5 else ""
            message += "X must have the same columns as in fit" + (
                "" if missing else ": X[list(model.feature_names_in_)] selects them"
            )
            raise ValueError(message)
        return Table(table.X.select(self.names) if table.kind != "pandas" else table.X[self.names])

    def _which(self, table: Table) -> Array:
        chosen = self.categorical_features
        n = table.n_columns
        by_type = np.array([table.is_category(i) for i in range(n)])  # raises for dates in any case
        if isinstance(chosen, str) and chosen == "from_dtype":
            return by_type
        if chosen is None:
            chosen = []
        chosen = np.asarray(chosen)
        if chosen.dtype == object:  # as boolean and Int64 arrays are before pandas 2.2
            chosen = np.array(chosen.tolist())
        mask = np.zeros(n, bool)
        if chosen.dtype.kind == "b":
            if chosen.shape != (n,):
                raise ValueError(
                    f"categorical_features set as a boolean mask should have shape (n_features,), here "
                    f"({n},); got {chosen.shape}"
                )
            mask = chosen.copy()
        elif chosen.dtype.kind in "iu":
            if chosen.size and (chosen.max() >= n or chosen.min() < 0):
                raise ValueError(
                    "categorical_features set as integer indices must be in [0, n_features - 1], here up to "
                    f"{n - 1}; got {chosen.tolist()}"
                )
            mask[chosen] = True
        elif chosen.size:
            if table.names is None:
                raise ValueError(
                    "categorical_features are names, but X has no column names: give indices or a mask"
                )
            unknown = [name for name in chosen.tolist() if name not in table.names]
            if unknown:
                raise ValueError(
                    f"categorical_features has names that are not in X: {named(unknown)}; X has "
                    f"{named(table.names)}"
                )
            mask[[table.names.index(name) for name in chosen.tolist()]] = True
        text = [
            table.called(int(i)) for i in np.flatnonzero(by_type & ~mask) if not is_bool(table, i)
        ]
        if text:
            raise ValueError(
                f"{text[0]} is text or categories, yet categorical_features leaves it out: name it there, or "
                "leave categorical_features='from_dtype'"
            )
        return mask

    def _numbers(self, table: Table) -> Array:
        together = table.numbers_together(self.numeric)
        if together is not None:
            return together
        numbers = np.empty((table.n_rows, len(self.numeric)))
        for j, i in enumerate(self.numeric):
            numbers[:, j] = table.numbers(int(i))
        return numbers

    def _fit_numbers(self, numbers: Array) -> None:
        missing = np.isnan(numbers)
        center, scale = robust_scale(numbers)
        kept = np.flatnonzero(~np.all(missing, axis=0) & ((scale > 0) | np.any(missing, axis=0)))
        self.kept_numeric, self.center, self.scale = kept, center[kept], scale[kept]
        numbers, missing = numbers[:, kept], missing[:, kept]
        self.with_gaps = np.flatnonzero(np.any(missing, axis=0))
        # two values need no embedding: such columns come after the embedded ones
        ends = [np.nanmin(numbers, axis=0), np.nanmax(numbers, axis=0)]
        two = np.all((numbers == ends[0]) | (numbers == ends[1]) | missing, axis=0)
        self.embedded = np.flatnonzero((self.scale > 0) & ~two)
        self._fit_spikes(numbers[:, self.embedded])
        self.plain = np.flatnonzero((self.scale > 0) & two)

    def _fit_spikes(self, numbers: Array) -> None:
        """Find the most frequent values of all embedded columns in which most values are equal.

        Such a column, of gains or claims say, is scaled by its range, so that most values that differ are
        close together; and one of them can mean something else than its neighbours. There are at most
        `max_levels` of them in all, because a table can have hundreds of such columns, as pixels are.
        """
        rows_needed = self.min_rows if len(numbers) >= 50 else 1
        spikes, spiked, rows = [np.zeros(0)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for j, column in zip(self.embedded, numbers.T):
            column = column[~np.isnan(column)]
            q25, middle, q75 = np.quantile(column, [0.25, 0.5, 0.75])
            if q25 == q75:
                values, counts = np.unique(column[column != middle], return_counts=True)
                frequent = counts >= rows_needed
                spikes.append(values[frequent])
                spiked.append(np.full(frequent.sum(), j))
                rows.append(counts[frequent])
        most = np.sort(np.argsort(-np.concatenate(rows), kind="stable")[: self.max_levels])
        self.spikes, self.spiked = np.concatenate(spikes)[most], np.concatenate(spiked)[most]

    def _fit_category(self, i: int, codes: Array, levels: list[Any], rows_needed: int) -> Category:
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        frequent = np.argsort(-counts, kind="stable")
        frequent = frequent[counts[frequent] >= rows_needed]
        n_present = int((counts > 0).sum())
        many = len(frequent) > self.max_levels
        kept = frequent[: self.max_levels]
        columns = np.full(len(levels) + 1, -1)
        signed = n_present == 2 and len(kept) == 2
        gaps = bool((codes < 0).any())
        n_columns = 1 if signed else len(kept)
        if n_present < 2 and not gaps:
            n_columns = 0  # constant
        columns[kept] = np.arange(len(kept)) if n_columns else -1
        table = {level: code for code, level in enumerate(levels)}
        category = Category(i, table, columns, n_columns, signed)
        category.many = many or (n_present > self.max_levels and len(kept) == 0)
        return category

    def _assemble(self, numbers: Array, coded: list[Array]) -> Array:
        numbers = numbers[:, self.kept_numeric]
        missing = np.isnan(numbers)
        inputs = smooth_clip(numbers, self.center, self.scale, self.clip)
        inputs[missing] = 0
        parts = [inputs[:, self.embedded]]
        counts = [
            each.log_counts[codes] for each, codes in zip(self.categories, coded) if each.many
        ]
        if counts:
            parts.append(
                smooth_clip(np.column_stack(counts), self.count_center, self.count_scale, self.clip)
            )
        parts.append(inputs[:, self.plain])
        parts.append(missing[:, self.with_gaps] * MISSING_VALUE)
        parts.append(numbers[:, self.spiked] == self.spikes)
        for category, codes in zip(self.categories, coded):
            columns = category.columns[codes]  # -1 selects the last entry, which is no column
            if category.signed:
                parts.append(np.array([1.0, -1.0, 0.0])[columns][:, np.newaxis])
            else:
                parts.append(columns[:, np.newaxis] == np.arange(category.n_columns))
        if not sum(part.shape[1] for part in parts):  # no column varies, but networks need one
            parts = [np.zeros((len(numbers), 1))]
        whole: Array = np.hstack(parts).astype(np.float64)
        return whole

    @property
    def n_numeric(self) -> int:
        """Number of columns to embed, the first ones."""
        return len(self.embedded) + len(self.count_center)


def warn_of_other_kind(called: str, known: Any, levels: Any) -> None:
    """Warn if no level is known because the type of the levels differs from fit (text or numbers)."""
    before, now = (
        sorted({"numbers" if isinstance(level, Real) else type(level).__name__ for level in each})
        for each in (known, levels)
    )
    if known and not set(before) & set(now):
        warn(
            f"{called} holds categories of type {', '.join(now)} ({named(list(levels), 3)}), and in fit it "
            f"held {', '.join(before)} ({named(list(known), 3)}): none of them is known. Give the column "
            "the type that it had in fit"
        )


def warn_of_text(table: Table, i: int, levels: list[Any]) -> None:
    """Warn where many levels of text are numbers or dates, in a column that has no type of categories.

    Up to three of them, such as blanks and "unknown", may be neither. Codes such as 007 are no numbers.
    """
    dtype = str(getattr(table.raw(i), "dtype", getattr(table.raw(i), "type", ""))).lower()
    if dtype.startswith(("cat", "enum", "dictionary")):
        return
    most = min(3, len(levels) // 10)
    for kind, is_kind in (("numbers", is_number), ("dates", is_date)):
        others = list(islice((level for level in levels if not is_kind(level)), most + 1))
        if len(others) > most or any(map(is_code, levels)):
            continue
        shown = next(level for level in levels if is_kind(level))
        what = f"all {kind}" if not others else f"{kind} except for {named(others)}"
        coerce = ", errors='coerce'" if others else ""
        if kind == "dates":
            days = f"pandas.to_datetime(column, utc=True{coerce}) - pandas.Timestamp(0, tz='UTC')"
            how = f"as with ({days}).dt.total_seconds() / 86400"
        elif all(is_plain(level) for level in levels if level not in others):
            how = f"as with pandas.to_numeric(column{coerce})"
        else:
            how = "without currency signs and thousands separators"
        warn(
            f"{table.called(i)} is text, yet its {len(levels)} levels are {what}, such as {shown!r}: they "
            f"are taken for categories. Convert it to numbers, {how}, or to categories, as with "
            "column.astype('category')"
        )
        return


def is_code(level: Any) -> bool:
    """Return whether a level is text of digits that begins with 0."""
    return isinstance(level, str) and level[:1] == "0" and level.isdigit() and level != "0"


def is_number(level: Any) -> bool:
    """Return whether a level is text of a number, also with a currency or separators: $1,234.50."""
    return is_plain(level) or (isinstance(level, str) and bool(NUMBER.fullmatch(level.strip())))


def is_plain(level: Any) -> bool:
    """Return whether a level is text that Python reads as a finite number."""
    try:
        return isinstance(level, str) and bool(np.isfinite(float(level)))
    except ValueError:
        return False


def is_date(level: Any) -> bool:
    """Return whether a level is text of a date written in digits, with or without a time."""
    return isinstance(level, str) and bool(DATE.fullmatch(level.strip()))


def warn_of_spelling(called: str, known: Any, unknown: list[Any]) -> None:
    """Warn where text is unknown only because of blanks at its ends, capitals, or how a number is written."""
    alike = {spelt_plainly(level): level for level in known if isinstance(level, str)}
    pairs = [
        f"{level!r} for {alike[spelt_plainly(level)]!r}"
        for level in unknown
        if isinstance(level, str) and spelt_plainly(level) in alike
    ]
    if pairs:
        warn(
            f"{called} spells levels in another way than in fit, {', '.join(pairs[:3])}: they count as "
            "unknown. Spell them as in fit"
        )


def spelt_plainly(level: str) -> str | float:
    """Return a level without blanks and capitals, and 1 for "1.0" and "01"."""
    return float(level) if is_plain(level) else level.strip().casefold()


def is_bool(table: Table, i: Any) -> bool:
    """Return whether a column is bool, which can also be treated as numbers."""
    values = table.raw(int(i))
    return "bool" in str(getattr(values, "dtype", getattr(values, "type", ""))).lower()


def shrunken(sums: Array, counts: Array, prior: Array, prior_rows: float = PRIOR_ROWS) -> Array:
    """Return means of levels, shrunk by ``prior_rows`` rows of the overall mean, which is the last entry."""
    means: Array = (sums + prior_rows * prior) / (counts[:, np.newaxis] + prior_rows)
    means[-1] = prior
    return means


def sums_by_level(codes: Array, n_levels: int, targets: Array) -> tuple[Array, Array]:
    """Return sums of targets, (levels + 1, t), and numbers of rows, of each level and of missing values."""
    places = np.where(codes < 0, n_levels, codes)
    counts = np.bincount(places, minlength=n_levels + 1).astype(np.float64)
    sums = [np.bincount(places, column, minlength=n_levels + 1) for column in targets.T]
    return np.column_stack(sums), counts


def robust_scale(numbers: Array) -> tuple[Array, Array]:
    """Return median and 1 / (q75 - q25) of each column: 2 / range if q75 = q25, 0 if constant."""
    if numbers.shape[1] == 0:
        return np.empty(0), np.empty(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings("ignore", "All-NaN slice")
        q25, center, q75 = np.nanquantile(numbers, [0.25, 0.5, 0.75], axis=0)
        low, high = np.nanmin(numbers, axis=0), np.nanmax(numbers, axis=0)
        half = np.where(q75 > q25, q75 / 2 - q25 / 2, high / 4 - low / 4)  # halves do not overflow
        scale = 0.5 / half
    scale[~np.isfinite(scale) | ~(high > low)] = 0  # also if all values are missing
    return np.nan_to_num(center), scale


def smooth_clip(numbers: Array, center: Array, scale: Array, clip: float = CLIP) -> Array:
    """Return t / sqrt(1 + (t / clip)^2) with t = (x - center) scale, within -clip and clip."""
    with np.errstate(over="ignore", invalid="ignore"):
        t = (numbers * 0.5 - center * 0.5) * scale
        t *= 2
        np.clip(t, -1e100, 1e100, out=t)
        return t / np.sqrt(1 + (t / clip) ** 2)
