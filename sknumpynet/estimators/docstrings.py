# SPDX-License-Identifier: BSD-3-Clause
"""Shared parts of the docstrings of both estimators."""

PARAMETERS = """
hidden_layer_sizes : int or array-like of int, default=(100,)
    Number of units of each hidden layer; ``()`` gives a linear model.
activation : str, Activation, tuple of two callables, or list, default='relu'
    Activation function of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu',
    'selu', 'gelu', 'silu', 'mish', 'softplus', 'softsign', 'hard_tanh', 'gaussian' or 'step'; an object
    such as ``LeakyReLU(0.1)`` or of a custom subclass; or a pair of functions of an array ``z``,
    ``(f, derivative)``. A list has one of these for each hidden layer. The
    derivative of 'step' is zero: it is for `from_weights` only, and `fit` raises an error.
solver : str or Optimizer, default='adam'
    The optimizer. On minibatches: 'sgd' (gradient descent with momentum), 'adam' (Kingma and Ba, 2015),
    'adamw', 'nadam', 'amsgrad', 'rmsprop', 'adagrad', 'lion', or 'rprop', which is meant for a
    ``batch_size`` as large as the data; or an object such as ``AdamW(weight_decay=0.02)``, or of a custom
    subclass, whose parameters replace `momentum`, `beta_1` and so on. On all rows at once: 'lbfgs', a
    quasi-Newton method, which is often best on a few thousand rows or fewer.
alpha : float, default=0.0001
    Strength of the L2 penalty: ``alpha / 2 * ||W||^2``, divided by the number of rows in the batch (or the
    sum of their weights), is added to the loss. Intercepts are not penalised. See also `l1_ratio`.
batch_size : int or 'auto', default='auto'
    Number of rows in a minibatch; 'auto' means ``min(200, n_samples)``. Not used by 'lbfgs'.
learning_rate : str, Schedule or callable, default='constant'
    Schedule of the learning rate. 'constant' stays at `learning_rate_init`; 'invscaling' is
    ``learning_rate_init / (t + 1) ** power_t`` after ``t`` rows, updated once per epoch; 'adaptive'
    divides the rate by 5 each time `n_iter_no_change` epochs in a row bring no progress; 'step' halves it
    every 10 epochs; 'exponential' multiplies it by 0.95 after each epoch; 'cosine' lowers it to 0 along half
    a cosine over all `max_iter` epochs; 'one_cycle' first raises it to `learning_rate_init`, then lowers
    it. Or an object such as ``Cosine(warmup=0.05)`` or ``Warmup("step")``, or of a
    custom subclass; or a callable ``step -> rate``, with steps counted from 0.

    With 'cosine' and 'one_cycle', training runs for all `max_iter` epochs, whatever `tol`; `partial_fit`
    counts its steps against `max_iter` epochs of the same size and then keeps the last rate. The name
    'adam' ignores the names 'invscaling' and 'adaptive', as in scikit-learn, and warns. Not used by
    'lbfgs'.
learning_rate_init : float, default=0.001
    The initial learning rate, and the largest rate of the schedules. Not used by 'lbfgs', by schedule
    objects with their own ``rate``, or by callables.
power_t : float, default=0.5
    Exponent of the 'invscaling' schedule.
max_iter : int, default=200
    Maximum number of epochs (passes over the data); for 'lbfgs', of iterations.
shuffle : bool, default=True
    Whether to shuffle the rows in each epoch. Not used by 'lbfgs'.
random_state : int, RandomState instance or None, default=None
    Source of the initial weights, the early-stopping split, the order of the rows and the dropout masks. An
    int makes the fit reproducible; None follows ``numpy.random.seed``.
tol : float, default=1e-4
    An epoch counts as progress if it improves the best loss (or validation score) by at least this much.
    'lbfgs' stops when no component of the gradient is larger.
verbose : bool or int, default=False
    Whether to report each epoch. True or 1 shows one line that is updated in place, with epoch, losses, rate
    and the maximum remaining time; where the output is not a terminal, it prints a line per epoch. Larger
    numbers always print a line per epoch.
warm_start : bool, default=False
    Whether `fit` starts from the weights of the previous fit. The optimizer and the count of epochs without
    progress are reset.
momentum : float, default=0.9
    Momentum of ``solver='sgd'``, in [0, 1].
nesterovs_momentum : bool, default=True
    Whether ``solver='sgd'`` uses Nesterov's momentum.
early_stopping : bool, default=False
    Whether to stop when the score of validation data no longer improves, and to keep the weights of the
    best epoch. The validation data are ``X_val`` and ``y_val`` of `fit`, or otherwise a share of the rows,
    `validation_fraction`. 'lbfgs' stops early only if ``X_val`` is given; otherwise it trains on all rows.
validation_fraction : float, default=0.1
    Share of the rows to set aside for validation, in [0, 1). Not used if ``X_val`` is given.
beta_1, beta_2 : float, default=0.9 and 0.999
    Decay rates of the running means of the gradient and of its square, in [0, 1), for 'adam', 'adamw',
    'nadam' and 'amsgrad'; 'lion' uses only `beta_1`.
epsilon : float, default=1e-8
    Small constant that avoids division by zero in 'adam', 'adamw', 'nadam', 'amsgrad' and 'rmsprop'.
n_iter_no_change : int or numpy.inf, default=10
    Training stops after more than this many epochs in a row without progress.
max_fun : int, default=15000
    Maximum number of loss evaluations of 'lbfgs'.
{own_parameters}
l1_ratio : float, default=0.0
    Share of the L1 penalty, in [0, 1], as in elastic net: the penalty is
    ``alpha * ((1 - l1_ratio) / 2 * ||W||^2 + l1_ratio * sum(|W|))``, divided as described for `alpha`.
dropout : float or array-like of float, default=0.0
    Share of the values of a layer that are set to zero at random in each training step, in [0, 1); the
    others are divided by ``1 - dropout``, so that predictions need no rescaling. A number applies to all
    hidden layers; a list has one rate for the input, then one for each hidden layer. Not used by 'lbfgs'.
normalization : {None, 'batch', 'layer'}, default=None
    Normalisation of the hidden layers before their activation: 'batch' scales each unit to mean 0 and
    variance 1 over the rows of the batch (with running means and variances in prediction), 'layer' each row
    over the units of the layer; a gain and a shift for each unit are learned. 'lbfgs' does not support
    'batch'.
max_grad_norm : float or None, default=None
    Gradient clipping: before each step, a gradient with a larger norm (over all parameters, penalty
    included) is scaled down to this norm. Not used by 'lbfgs'.
fit_intercept : bool, default=True
    Whether the layers have intercepts; if not, `intercepts_` are zeros.
init : str or Initializer, default='auto'
    Initial weights: 'auto' is scikit-learn's rule, for the intercepts too; others are 'glorot_uniform',
    'glorot_normal', 'he_uniform', 'he_normal', 'lecun_uniform', 'lecun_normal', 'orthogonal' and 'zeros',
    and objects such as ``Normal(0.1)`` or ``Uniform(-1, 1)``.
bias_init : str or Initializer, default='auto'
    Initial intercepts, with the same names and objects: 'auto' is scikit-learn's rule with
    ``init='auto'``, and zeros otherwise.
scoring : str, callable or None, default=None
    The score of the validation data; larger is better. The name of a scorer, a callable
    ``(estimator, X, y) -> float``, or 'loss' for minus the validation loss; None means {score_text}.
    A callable gets X as it was passed to `fit` (a DataFrame stays a DataFrame), and the weights of the rows
    if it accepts ``sample_weight``. With a scoring other than None, the rows that early stopping sets aside
    are also stratified for several classes, not only for two.
max_time : float or None, default=None
    Time limit in seconds: training stops at the end of the epoch (for 'lbfgs' the iteration) that exceeds it,
    with a ConvergenceWarning. With early stopping the best weights so far are kept, otherwise the latest.
dtype : {None, 'float32', 'float64'}, default=None
    Precision of the computation; None means float32 for float32 data and float64 for everything else.
"""

ATTRIBUTES = """
coefs_ : list of ndarray of shape (fan_in, fan_out)
    The weights of each layer. Assigning the list, or an item of it, writes into the network.
intercepts_ : list of ndarray of shape (fan_out,)
    The biases of each layer; they can be assigned in the same way.
loss_ : float
    The loss of the last epoch, penalty included.
best_loss_ : float or None
    The lowest loss of an epoch; None with early stopping. Not set by 'lbfgs'.
loss_curve_ : list of float
    The loss of each epoch: the mean over its batches, each computed before its step. Not set by 'lbfgs',
    whose losses are in `history_`. After `partial_fit` only the last 10,000 are kept, as for all curves.
validation_scores_ : list of float or None
    The {score} of the validation data, or the score by `scoring`, after each epoch; None without such data.
validation_loss_curve_ : list of float or None
    The loss of the validation data, without the penalty, after each epoch; None without such data.
best_validation_score_ : float or None
    The best validation score; None without early stopping.
best_epoch_ : int or None
    The epoch whose weights are kept, counted from 1 as in `history_`: with early stopping the one with the
    best score, otherwise the last. None if there was no epoch.
history_ : dict of str to list
    Training record, one entry per epoch: 'epoch', 'loss', 'learning_rate' and 'gradient_norm' (both of the
    epoch's last step, the norm before `max_grad_norm` shortens it), 'seconds' and, with validation data,
    'validation_loss' and 'validation_score'. 'lbfgs' has one entry per iteration, and NaN as learning rate.
loss_function_ : Loss
    The loss that was minimised, as an object.
n_parameters_ : int
    Number of weights and intercepts, and of gains and shifts of the normalisation.
n_iter_ : int
    Number of epochs of the last fit; for 'lbfgs', of iterations.
t_ : int
    Number of rows seen in training; a row counts each time that it is used.
n_layers_ : int
    Number of layers, input and output included.
n_outputs_ : int
    Number of outputs.
out_activation_ : str
    Name of the function that turns the raw output into the prediction. It can be set to 'identity',
    'logistic', 'softmax' or 'exp', and predictions then use it; training resets it to that of the loss.
n_features_in_ : int
    Number of features seen in `fit`.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the features, if X had names that are all strings.
"""


CLASSIFIER_PARAMETERS = """
loss : {'log_loss', 'focal'} or Loss, default='log_loss'
    The loss to minimise: the log loss, or the focal loss, which gives less weight to rows that are already
    classified well; or an object such as ``Focal(gamma=1.0)``, or of a custom subclass.
class_weight : dict, 'balanced', list of dict, or None, default=None
    Weights of the classes, as ``{label: weight}``, by which the weights of their rows are multiplied;
    'balanced' gives each class the weight ``n_samples / (n_classes * count)``, whatever the sample weights of
    its rows. Classes that are not in the dict have weight 1; labels that do not occur in y, as in some folds,
    are ignored. For several labels at once, a list with one dict per column. `partial_fit`, which never sees
    all rows, does not support 'balanced'.
label_smoothing : float, default=0.0
    Share of the target that is spread evenly over the classes, in [0, 1); only with ``loss='log_loss'``.
"""

REGRESSOR_PARAMETERS = """
quantile : float or array-like of float, default=0.5
    The quantile that ``loss='quantile'`` predicts, in (0, 1), or several in ascending order, for which
    `predict` returns one column each. The same as ``loss=Quantile(...)``, but a search or a wrapper can set
    it by name. Only used with ``loss='quantile'``.
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
