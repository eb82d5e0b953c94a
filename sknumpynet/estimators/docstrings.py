# SPDX-License-Identifier: BSD-3-Clause
"""The parts of the docstrings that both estimators share, written once."""

PARAMETERS = """
hidden_layer_sizes : int or array-like of int, default=(100,)
    Number of units of each hidden layer; ``()`` gives a linear model.
activation : str, Activation, tuple of two callables, or list, default='relu'
    Activation function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu',
    'selu', 'gelu', 'silu', 'mish', 'softplus', 'softsign', 'hard_tanh', 'gaussian' or 'step'; an object
    such as ``LeakyReLU(0.1)`` or of a custom subclass; or a pair of functions of an array ``z``,
    ``(f, derivative)``. A list has one of these for each hidden layer. 'step' has no slope to follow: it
    is for `from_weights`, and `fit` refuses it.
solver : str or Optimizer, default='adam'
    How the weights are found. By steps on minibatches: 'sgd' (gradient descent with momentum), 'adam'
    (Kingma and Ba, 2015), 'adamw', 'nadam', 'amsgrad', 'rmsprop', 'adagrad', 'lion', or 'rprop', which
    is meant for ``batch_size`` as large as the data; or an object such as ``AdamW(weight_decay=0.02)``,
    or of a custom subclass, whose own parameters count instead of `momentum`, `beta_1` and the like.
    Or by 'lbfgs', a quasi-Newton method on all rows at once, which often is best on a few thousand rows
    or fewer.
alpha : float, default=0.0001
    Strength of the penalty: ``alpha / 2 * ||W||^2``, divided by the number of rows of the batch (or the
    sum of their weights), is added to the loss. Intercepts are not penalised. See also `l1_ratio`.
batch_size : int or 'auto', default='auto'
    Rows of a minibatch; 'auto' means ``min(200, n_samples)``. Not used by 'lbfgs'.
learning_rate : str, Schedule or callable, default='constant'
    Schedule of the learning rate. 'constant' stays at `learning_rate_init`; 'invscaling' is
    ``learning_rate_init / (t + 1) ** power_t`` after ``t`` rows, moved once an epoch; 'adaptive' divides
    the rate by 5 each time `n_iter_no_change` epochs in a row brought no progress; 'step' halves it every
    10 epochs; 'exponential' multiplies it by 0.95 after each epoch; 'cosine' brings it down to 0 along
    half a cosine over all `max_iter` epochs; 'one_cycle' first raises it, to `learning_rate_init`, and
    then brings it down. Or an object such as ``Cosine(warmup=0.05)`` or ``Warmup("step")``, or of a
    custom subclass; or a callable ``step -> rate``, the steps counted from 0.

    With 'cosine' and 'one_cycle' training takes all of its epochs, whatever `tol`; `partial_fit` counts
    its steps on against `max_iter` epochs of the same size and then holds the last rate. The name 'adam'
    ignores the names 'invscaling' and 'adaptive', as in scikit-learn, and warns. Not used by 'lbfgs'.
learning_rate_init : float, default=0.001
    The learning rate to begin with, and the largest of the schedules; not used by 'lbfgs', by schedule
    objects with a ``rate`` of their own, and by callables.
power_t : float, default=0.5
    Exponent of the 'invscaling' schedule.
max_iter : int, default=200
    Largest number of epochs (passes over the data), for 'lbfgs' of iterations.
shuffle : bool, default=True
    Whether each epoch takes the rows in a new random order. Not used by 'lbfgs'.
random_state : int, RandomState instance or None, default=None
    Source of the initial weights, the early-stopping split, the row orders and dropout's masks. An int
    makes the fit repeatable; None follows ``numpy.random.seed``.
tol : float, default=1e-4
    An epoch counts as progress if it betters the best loss (or validation score) by at least this. For
    'lbfgs', the largest component of the gradient at which the search ends.
verbose : bool or int, default=False
    Whether to report each epoch. True or 1 shows one line that is written over, with epoch, losses, rate
    and the time that is left at most, and prints a line for each epoch where the output is not a terminal; so
    does any larger number.
warm_start : bool, default=False
    Whether `fit` starts from the weights of the fit before. The optimizer, and the count of epochs without
    progress, start anew.
momentum : float, default=0.9
    Momentum of the name 'sgd', in [0, 1].
nesterovs_momentum : bool, default=True
    Whether the name 'sgd' looks ahead along its momentum.
early_stopping : bool, default=False
    Whether to stop when the score of validation data no longer improves, and to keep the weights of the
    best epoch. The data are ``X_val`` and ``y_val`` of `fit`, or else `validation_fraction` of the rows,
    which are set aside. 'lbfgs' stops early only where ``X_val`` is given, and else trains on all rows.
validation_fraction : float, default=0.1
    Share of the rows to set aside, in [0, 1). Not used where ``X_val`` is given.
beta_1, beta_2 : float, default=0.9 and 0.999
    How much of the running means of the gradient and of its square the names 'adam', 'adamw', 'nadam' and
    'amsgrad' keep, in [0, 1); 'lion' takes only `beta_1`.
epsilon : float, default=1e-8
    Keeps the division finite, with the names 'adam', 'adamw', 'nadam', 'amsgrad' and 'rmsprop'.
n_iter_no_change : int or numpy.inf, default=10
    Training ends after more than so many epochs in a row without progress.
max_fun : int, default=15000
    Largest number of evaluations of the loss by 'lbfgs'.
{own_parameters}
l1_ratio : float, default=0.0
    Share of `alpha` that goes to the sizes of the weights instead of their squares, in [0, 1]: the penalty
    is ``alpha * ((1 - l1_ratio) / 2 * ||W||^2 + l1_ratio * sum(|W|))``, divided as said there.
dropout : float or array-like of float, default=0.0
    Share of the values of a layer that are set to zero at random in each training step, in [0, 1); the
    others are divided by ``1 - dropout``, so that predictions need no change. A number goes for all hidden
    layers; a list has one for the input and then one for each hidden layer. Not used by 'lbfgs'.
normalization : {None, 'batch', 'layer'}, default=None
    What is done to the hidden layers before their activation: 'batch' brings each unit to mean 0 and
    variance 1 over the rows of the batch (over running means in prediction), 'layer' each row over the
    units of the layer; a gain and a shift for each unit are learnt. 'batch' cannot go with 'lbfgs'.
max_grad_norm : float or None, default=None
    A longer gradient, all parameters taken together and with the penalty, is shortened to this length
    before each step. Not used by 'lbfgs'.
fit_intercept : bool, default=True
    Whether the layers have intercepts; without, `intercepts_` are zeros.
init : str or Initializer, default='auto'
    What the weights start from: 'auto' is scikit-learn's rule, for the intercepts too; then there are
    'glorot_uniform', 'glorot_normal', 'he_uniform', 'he_normal', 'lecun_uniform', 'lecun_normal',
    'orthogonal' and 'zeros', and objects such as ``Normal(0.1)`` or ``Uniform(-1, 1)``.
bias_init : str or Initializer, default='auto'
    What the intercepts start from, the same names and objects: 'auto' is scikit-learn's rule with
    ``init='auto'``, and zeros otherwise.
scoring : str, callable or None, default=None
    The score of the validation data, larger being better: the name of a scorer, a callable
    ``(estimator, X, y) -> float``, or 'loss' for minus the validation loss; None means {score_text}.
    A callable gets X as `fit` was given it, a DataFrame as a DataFrame, and the weights of the rows where it
    takes ``sample_weight``. With a scoring other than None the
    rows that early stopping sets aside have the shares of several classes too, not of two alone.
max_time : float or None, default=None
    Training ends after the epoch (for 'lbfgs' the iteration) in which so many seconds have passed, with a
    ConvergenceWarning. With early stopping the best weights so far are kept, else the latest.
dtype : {None, 'float32', 'float64'}, default=None
    What to compute in; None means float32 for float32 data and float64 for everything else.
"""

ATTRIBUTES = """
coefs_ : list of ndarray of shape (fan_in, fan_out)
    The weights of each layer. Assigning the list, or an item of it, writes into the network.
intercepts_ : list of ndarray of shape (fan_out,)
    The biases of each layer; assigned likewise.
loss_ : float
    The loss of the last epoch, penalty included.
best_loss_ : float or None
    The lowest loss of an epoch; None with early stopping. Not there with 'lbfgs'.
loss_curve_ : list of float
    The loss of each epoch: the mean over its batches, each taken before its step. Not there with 'lbfgs',
    whose losses are in `history_`. After `partial_fit` the newest 10,000 are kept, as of all curves.
validation_scores_ : list of float or None
    The {score} of the validation data, or what `scoring` says, after each epoch; None without such data.
validation_loss_curve_ : list of float or None
    Their loss, without the penalty; likewise.
best_validation_score_ : float or None
    The best of the scores; None without early stopping.
best_epoch_ : int or None
    The epoch whose weights are kept, counted from 1 as in `history_`: with early stopping the one with the
    best score, else the last. None where there was no epoch.
history_ : dict of str to list
    The record, one entry per epoch: 'epoch', 'loss', 'learning_rate' and 'gradient_norm' (both of the
    epoch's last step, the norm before `max_grad_norm` shortens it), 'seconds' and, with validation data,
    'validation_loss' and 'validation_score'. 'lbfgs' has one per iteration, and NaN as learning rate.
loss_function_ : Loss
    The loss that was minimised, as an object.
n_parameters_ : int
    Number of weights, intercepts, and gains and shifts of a normalisation.
n_iter_ : int
    Number of epochs of the last fit; for 'lbfgs', of iterations.
t_ : int
    Number of rows that training has seen, each as often as it was used.
n_layers_ : int
    Number of layers, input and output included.
n_outputs_ : int
    Number of outputs.
out_activation_ : str
    Name of the function that turns the raw output into the prediction. 'identity', 'logistic', 'softmax' or
    'exp' may be assigned, which predictions then follow; training sets it back to that of the loss.
n_features_in_ : int
    Number of features seen in `fit`.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the features, where X had names that are all strings.
"""


CLASSIFIER_PARAMETERS = """
loss : {'log_loss', 'focal'} or Loss, default='log_loss'
    What is minimised: the log loss, or the focal loss, which turns away from rows that are already right;
    or an object such as ``Focal(gamma=1.0)``, or of a custom subclass.
class_weight : dict, 'balanced', list of dict, or None, default=None
    Weights of the classes, as ``{label: weight}``, by which the weights of their rows are multiplied;
    'balanced' gives ``n_samples / (n_classes * count)`` to each. A class without a weight has 1, and labels
    that y lacks, as a fold may, are ignored. For several labels at once, a list with one dict per column.
    `partial_fit`, which never sees all rows, takes a dict or a list only.
label_smoothing : float, default=0.0
    Share of the target that is spread evenly over the classes, in [0, 1); with ``loss='log_loss'``.
"""

REGRESSOR_PARAMETERS = """
quantile : float or array-like of float, default=0.5
    The quantile that ``loss='quantile'`` predicts, in (0, 1), or several in rising order, for which `predict`
    gives a column each: the same as ``loss=Quantile(...)``, where a search or a wrapper sets it by name. Only
    read with the name 'quantile'.
"""


def documented(score, score_text, own_parameters=""):
    """Return a decorator that puts the shared parts into a class docstring."""

    def fill(cls):
        def indented(text):
            return text.strip().replace("\n", "\n    ")

        own = f"{own_parameters.strip()}\n" if own_parameters else ""
        parameters = PARAMETERS.replace("{own_parameters}\n", own)
        cls.__doc__ = (
            cls.__doc__.replace("{parameters}", indented(parameters))
            .replace("{attributes}", indented(ATTRIBUTES))
            .replace("{score_text}", score_text)
            .replace("{score}", score)
        )
        return cls

    return fill
