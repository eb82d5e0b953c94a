# SPDX-License-Identifier: BSD-3-Clause
"""The parts of the docstrings that both estimators for tables share, written once."""

PARAMETERS = """
quality : {'fast', 'best'}, default='fast'
    'fast' trains 8 members (16 below 1,000 rows, 6 from 10,000 on, 4 from 50,000) through 3 cycles, 'best'
    16 members through 4, which takes some three times as long; in both, one cycle more where the last one
    took off more than 5 %.
categorical_features : 'from_dtype', array-like or None, default='from_dtype'
    Columns that are categories. 'from_dtype': text, bool, pandas' and polars' categories, and object
    columns that hold anything but numbers. Or indices, names or a mask, as in HistGradientBoosting; this is
    the way to make categories of integers. None: no column.
max_levels : int, default=50
    Levels of a category that get an input of their own, the frequent ones first. Where there are more, the
    mean target of a level (cross-fitted: never of the row's own fold) and the logarithm of its count stand
    beside them.
min_level_rows : int, default=3
    Rows that a level needs for an input of its own; rarer ones are as unknown. 1 in tables of fewer than 50
    rows.
prior_rows : float, default=10.0
    The mean target of a level begins with so many rows of the overall mean, the usual shrinkage of rare
    levels (Micci-Barreca, SIGKDD Explorations 2001).
input_clip : float, default=3.0
    Numbers, scaled to quartile distance 1, are clipped smoothly to plus or minus this [1]_.{own_parameters}
numeric_embedding : 'auto' or bool, default='auto'
    Whether each number also enters as periodic functions of it ("PBLD" of RealMLP). 'auto' trains members
    with and without, and goes on with both until one is behind out of fold: by more than 30 % after the
    first cycle or 10 % after the second and later ones; from 10,000 rows on by more than 1 %
    (`embedding_margins`). All their snapshots are candidates. With more than `max_embedded` columns of
    numbers, 'auto' means without.
n_frequencies : int, default=16
    Cosines of each number and member [1]_.
frequency : float, default=1.0
    Scale of their first frequencies, for inputs of quartile distance 1: normal, times the exponential of a
    normal number of deviation `frequency_spread`. RealMLP has 0.1, for larger networks; 1 was chosen on the
    ten sets of the page "Tables".
frequency_spread : float, default=0.7
    Deviation of the logarithm of the first frequencies, so that a few are high; 0 as in RealMLP. Chosen on
    these ten sets.
n_embedded : int, default=3
    Outputs of the embedding of each number, beside the number itself [1]_.
max_embedded : int, default=100
    Columns of numbers above which ``numeric_embedding='auto'`` means without: there the embedding takes
    most of the time, and did harm where it was tried.
embedding_margins : 'auto' or array-like of float, default='auto'
    How far the out-of-fold loss of members with or without embedding may be above the better one, as a
    share, after the first cycle, the second and so on; the last one counts for all later cycles. What is
    further above is not trained on. 'auto': (0.3, 0.1), from 10,000 rows on (0.01,), chosen on these
    ten sets.
n_members : int or 'auto', default='auto'
    Networks trained side by side, a multiple of the number of folds. 'auto': by `quality`, and as many as
    the folds need.
hidden_layer_sizes : int or array-like of int, default=(64, 64, 64)
    Widths of the hidden layers of each member.
dropout : float, default=0.15
    Share of hidden units left out in a step, for the first half of a cycle; down to 0 in the second.
weight_decay : float, default=0.02
    A step multiplies weights by ``1 - rate * weight_decay``, in cycles like `dropout`.
learning_rate : float, default={learning_rate}
    The highest rate of Adam within a cycle, where it rises from 0 and falls to 0.
beta_1 : float, default=0.9
    Adam's decay of the mean of the gradients, in [0, 1).
beta_2 : float, default=0.95
    Adam's decay of the mean of their squares, in [0, 1): 0.95, not 0.999, as training is short [1]_.
epsilon : float, default=1e-8
    What Adam adds to the root of that mean.
bias_rate_factor, embedding_rate_factor : float, default=0.1
    Factors of the learning rate for biases and for numeric embeddings [1]_.
scale_rate_factor : float, default=6.0
    Factor of the learning rate for the scales of the inputs [1]_.
batch_size : int or 'auto', default='auto'
    Rows of a batch. 'auto': 32 below 300 rows, 64 below 1,000, 128 below 15,000, 256 below 50,000, 512
    below 200,000, then 1,024.
first_cycle : int or 'auto', default='auto'
    Epochs of the first cycle; each further one is twice as long. 'auto': 4, from 10,000 rows on 3, from
    30,000 on 2, from 60,000 on 1, but as many as make `min_steps`.
min_steps : int, default=120
    Steps that the first cycle has at least with ``first_cycle='auto'``.
n_cycles : int or 'auto', default='auto'
    Cycles at most, by `quality`; one more by `extra_cycle_gain`.
least_gain : float, default=0.01
    Share of the out-of-fold loss that a cycle, from the second on, has to take off for another to begin.
extra_cycle_gain : float, default=0.05
    Where the last cycle took off more than this share, one more follows; ``np.inf``: never.
n_picks : int, default=8
    Picks, with replacement, of the greedy selection that weights the snapshots [4]_.
snapshot_gain : float, default=0.001
    Share of the out-of-fold loss that one more snapshot has to take off, beside those that are picked
    already: each costs time in all predictions. Chosen on these ten sets by out-of-fold loss.
paired_share : float, default=0.25
    Share of the rows that are hidden from two members, where each fold is hidden from one: on these rows it
    is measured what a mean of members gains over one, for all to be judged by [5]_. 0: members are judged
    one by one.
cv : None, int or splitter, default=None
    The folds: None for {folds} (5 below 200 rows; for 'fast' 6 from 10,000 on and 4 from 50,000),
    shuffled{stratified}; a number of them; or a splitter whose folds hold out every row once. Each member is
    blind to one fold.
scoring : str, callable or None, default=None
    A scorer of scikit-learn's, on out-of-fold predictions, that decides when to stop and what the snapshots
    weigh. None: the loss{temperature}.
max_time : float or None, default=None
    Seconds after which no further cycle begins. One cycle is always completed.
n_jobs : int or None, default=None
    Threads: groups of 4 members are trained on each. The numbers do not depend on it.
random_state : int, RandomState instance or None, default=None
    Source of folds, first weights, batches and dropout's masks. An int makes the fit repeatable.
verbose : int, default=0
    Whether to print a line for each cycle.
dtype : {'float32', 'float64'}, default='float32'
    What is computed in. Inputs are standardised in float64 before; predictions are float64.
"""

ATTRIBUTES = """
oof_predictions_ : ndarray
    {oof_predictions}, for the rows of `fit` in their order, each by members that did not learn from it.
    Duplicates of a row in other folds do leak; give them common ``groups``.
oof_score_ : float
    What `score` gives on these: an estimate for new rows that needs no data held out. Each row is predicted
    by few of the members, so it tends to be a little lower than the score of all of them on new rows.
history_ : dict of lists
    An entry for each snapshot, at the end of each cycle of the members with numeric embeddings and of those
    without: "epoch" (epochs of these members so far), "cycle", "numeric_embedding", "epochs" (of this
    cycle), "loss" (the criterion on unseen rows), "weight" (of the snapshot in the predictions) and "seconds"
    (since the start).
stop_reason_ : str
    "n_cycles", "no improvement", "max_time", "interrupted", or "callback" where one asked to stop.
snapshot_weights_ : ndarray of shape (n_snapshots,)
    As in ``history_["weight"]``.
n_members_ : int
    Networks trained side by side.
n_params_ : int
    Parameters of all networks and snapshots that predictions need.
is_categorical_ : ndarray of bool of shape (`n_features_in_`,)
    Which columns are categories.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of str
    Their names, where all are strings.
"""

NOTES = """
Every member has numeric embeddings, a scale for each input, and hidden layers with SiLU, started from the
data; all see the same batches, and member i gives the rows of its fold no weight. The parts are those of
RealMLP [1]_, with the packing of TabM [2]_ and snapshots of cyclic rates [3]_, weighted by greedy selection
[4]_ of what an ensemble may be expected to lose [5]_.
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
