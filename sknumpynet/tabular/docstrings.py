# SPDX-License-Identifier: BSD-3-Clause
"""Shared parts of the docstrings of both estimators for tables."""

PARAMETERS = """
quality : {'fast', 'best'}, default='fast'
    'fast' trains 8 members (16 below 1,000 rows, 6 from 10,000 rows, 4 from 50,000) for 3 cycles, 'best'
    16 members for 4, which takes about three times as long. Both add one cycle if the last one reduced the
    loss by more than 5 %.
categorical_features : 'from_dtype', array-like or None, default='from_dtype'
    Columns to treat as categories. 'from_dtype': text, bool, categorical columns of pandas and polars, and
    object columns that hold anything but numbers. Or indices, names or a mask, as in HistGradientBoosting;
    use these to treat integers as categories. None: no column.
max_levels : int, default=50
    Maximum number of levels of a category that are one-hot encoded, the most frequent first. If a category
    has more, the mean target of a level (cross-fitted: never from the row's own fold) and the logarithm of
    its count are added as inputs. Also the maximum number of one-hot encoded values of all numeric columns
    whose quartiles are equal, together.
min_level_rows : int, default=3
    Minimum number of rows for a level to be one-hot encoded; rarer levels are treated as unknown. 1 in tables
    with fewer than 50 rows.
prior_rows : float, default=10.0
    Smoothing of the mean target of a level: it counts as many extra rows with the overall mean, which shrinks
    rare levels (Micci-Barreca, SIGKDD Explorations 2001).
input_clip : float, default=3.0
    Numbers, scaled to interquartile range 1, are clipped smoothly to plus or minus this [1]_.{own_parameters}
numeric_embedding : 'auto' or bool, default='auto'
    Whether numbers are also encoded by periodic functions ("PBLD" of RealMLP). 'auto' trains members with
    and without, and continues both until the out-of-fold loss of one is worse: by more than 30 % after the
    first cycle or 10 % after later ones; from 10,000 rows by more than 1 % (`embedding_margins`). All their
    snapshots are candidates. With more than `max_embedded` numeric columns, 'auto' means without.
n_frequencies : int, default=16
    Number of cosines for each numeric column and member [1]_.
frequency : float, default=1.0
    Scale of the initial frequencies, for inputs with interquartile range 1: a normal variable, times the
    exponential of a normal variable with standard deviation `frequency_spread`. RealMLP uses 0.1, for larger
    networks; 1 was chosen on the ten data sets of the page "Tables".
frequency_spread : float, default=0.7
    Standard deviation of the logarithm of the initial frequencies, so that a few are high; RealMLP has 0.
    Chosen on the same ten data sets.
n_embedded : int, default=3
    Number of outputs of the embedding of each numeric column, besides the number itself [1]_.
max_embedded : int, default=100
    With more numeric columns, ``numeric_embedding='auto'`` means no embedding: it would take most of the
    time, and made results worse in tests.
embedding_margins : 'auto' or array-like of float, default='auto'
    How much worse, as a share of the loss, the members with or without embedding may be out of fold than the
    better ones, after the first cycle, the second and so on; the last value applies to all later cycles.
    Beyond this, their training stops. 'auto': (0.3, 0.1), from 10,000 rows (0.01,), chosen on the same ten
    data sets.
n_members : int or 'auto', default='auto'
    Number of networks trained together, a multiple of the number of folds. 'auto': set by `quality`, and
    rounded up to such a multiple.
hidden_layer_sizes : 'auto', int or array-like of int, default='auto'
    Widths of the hidden layers of each member. 'auto': three layers of 64, of 96 with 20 classes or more.
dropout : float, default=0.15
    Share of hidden units dropped in each step of the first half of a cycle; it falls to 0 in the second.
weight_decay : float, default=0.02
    Each step multiplies the weights by ``1 - rate * weight_decay``; it changes within a cycle as `dropout`
    does.
learning_rate : float, default={learning_rate}
    Maximum learning rate of Adam; in each cycle the rate rises from 0 to it and falls back to 0.
beta_1 : float, default=0.9
    Decay rate of Adam's running mean of the gradient, in [0, 1).
beta_2 : float, default=0.95
    Decay rate of Adam's running mean of its square, in [0, 1): 0.95, not 0.999, as training is short [1]_.
epsilon : float, default=1e-8
    Constant that Adam adds to the square root of that mean.
bias_rate_factor, embedding_rate_factor : float, default=0.1
    Factors of the learning rate for biases and for numeric embeddings [1]_.
scale_rate_factor : float, default=6.0
    Factor of the learning rate for the scales of the inputs [1]_.
batch_size : int or 'auto', default='auto'
    Rows in a batch. 'auto': 32 below 300 rows, 64 below 1,000, 128 below 15,000, 256 below 50,000, 512
    below 200,000, then 1,024.
first_cycle : int or 'auto', default='auto'
    Number of epochs of the first cycle; each later one is twice as long. 'auto': 4, from 10,000 rows 3, from
    30,000 2, from 60,000 1, but at least enough for `min_steps`.
min_steps : int, default=120
    Minimum number of steps of the first cycle with ``first_cycle='auto'``.
n_cycles : int or 'auto', default='auto'
    Maximum number of cycles; 'auto': set by `quality`. `extra_cycle_gain` may add one.
least_gain : float, default=0.01
    Share by which a cycle, from the second on, must reduce the out-of-fold loss for another to start.
extra_cycle_gain : float, default=0.05
    If the last cycle reduced the loss by more than this share, one more follows; ``np.inf``: never.
n_picks : int, default=8
    Number of picks, with replacement, of the greedy selection that weights the snapshots [4]_.
snapshot_gain : float, default=0.001
    Share by which another snapshot must reduce the out-of-fold loss of those already picked, since each
    costs time in every prediction. Chosen on the same ten data sets by out-of-fold loss.
paired_share : float, default=0.25
    Share of the rows that are held out from two members; the other rows of a fold are held out from one. On
    the shared rows the gain from averaging members is measured, and all members are judged with it [5]_.
    0: members are judged individually.
cv : None, int or splitter, default=None
    The folds: None for {folds} (5 below 200 rows; for 'fast' 6 from 10,000 and 4 from 50,000),
    shuffled{stratified}; a number of folds; or a splitter whose folds hold out every row once. Each member is
    trained without one fold.
scoring : str, callable or None, default=None
    A scikit-learn scorer, applied to out-of-fold predictions, that decides when to stop and how the snapshots
    are weighted. None or 'loss': the loss{temperature}.
max_time : float or None, default=None
    Time limit in seconds, after which no further cycle starts. One cycle is always completed.
n_jobs : int or None, default=None
    Number of threads; each trains groups of 4 members. The results do not depend on it.
random_state : int, RandomState instance or None, default=None
    Source of the folds, initial weights, batches and dropout masks. An int makes the fit reproducible.
verbose : int, default=0
    Whether to print a line for each cycle.
dtype : {'float32', 'float64'}, default='float32'
    Precision of the computation. Inputs are standardised in float64 first; predictions are float64.
"""

ATTRIBUTES = """
oof_predictions_ : ndarray
    {oof_predictions}, for the rows of `fit` in their order, each by members that were not trained on it.
    Duplicates of a row in other folds do leak; put them in the same group with ``groups``.
oof_score_ : float
    The score of these predictions: an estimate for new rows that needs no test set. Each row is predicted by
    only a few of the members, so it tends to be slightly lower than the score of all of them on new rows.
history_ : dict of lists
    One entry for each snapshot, at the end of each cycle of the members with numeric embeddings and of those
    without: "epoch" (epochs of these members so far), "cycle", "numeric_embedding", "epochs" (of this
    cycle), "loss" (the criterion on unseen rows), "weight" (of the snapshot in the predictions) and "seconds"
    (since the start).
stop_reason_ : str
    "n_cycles", "no improvement", "max_time", "interrupted", or "callback" if one requested it.
snapshot_weights_ : ndarray of shape (n_snapshots,)
    As in ``history_["weight"]``.
n_members_ : int
    Number of networks trained together.
n_params_ : int
    Number of parameters of all networks and snapshots that are used in predictions.
is_categorical_ : ndarray of bool of shape (n_features,)
    Which columns are categories.
n_features_in_ : int
    Number of columns of X.
feature_names_in_ : ndarray of str
    Names of the columns, if all are strings.
"""

NOTES = """
Every member has numeric embeddings, a scale for each input, and hidden layers with SiLU and data-driven
initial weights. All see the same batches; member i gives the rows of its fold zero weight. The components are
those of RealMLP [1]_, with the packing of TabM [2]_ and snapshots of cyclic learning rates [3]_, weighted by
greedy selection [4]_ on the expected loss of the ensemble [5]_.
"""

REFERENCES = """
.. [1] Holzmueller, Grinsztajn, Steinwart: Better by default: strong pre-tuned MLPs and boosted trees on
   tabular data (NeurIPS 2024), "RealMLP".
.. [2] Gorishniy, Kotelnikov, Babenko: TabM: advancing tabular deep learning with parameter-efficient
   ensembling (ICLR 2025).
.. [3] Huang et al.: Snapshot ensembles: train 1, get M for free (ICLR 2017).
.. [4] Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble selection from libraries of models (ICML 2004).
.. [5] Krogh, Vedelsby: Neural network ensembles, cross validation, and active learning (NIPS 1994).
"""


def documented(**words):
    """Return a decorator that puts the shared parts into a class docstring."""

    def fill(cls):
        text = cls.__doc__
        for name, part in (
            ("parameters", PARAMETERS),
            ("attributes", ATTRIBUTES),
            ("notes", NOTES),
            ("references", REFERENCES),
        ):
            text = text.replace("{" + name + "}", part.strip().replace("\n", "\n    "))
        for name, word in words.items():
            text = text.replace("{" + name + "}", word)
        cls.__doc__ = text
        return cls

    return fill
