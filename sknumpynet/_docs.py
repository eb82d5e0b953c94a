# SPDX-License-Identifier: BSD-3-Clause
"""The parts of the docstrings that both estimators share, written once."""

PARAMETERS = """
hidden_layer_sizes : int or array-like of int, default=(100,)
    Number of units of each hidden layer; ``()`` gives a linear model.
activation : {'identity', 'logistic', 'tanh', 'relu'}, default='relu'
    Activation function of the hidden layers.
solver : {'adam', 'sgd', 'lbfgs'}, default='adam'
    How the weights are found: by steps on minibatches with 'adam' (Kingma and Ba, 2015) or 'sgd'
    (gradient descent with momentum), or by 'lbfgs', a quasi-Newton method on all rows at once, which often
    is best on a few thousand rows or fewer.
alpha : float, default=0.0001
    Strength of the L2 penalty: ``alpha / 2 * ||W||^2``, divided by the number of rows of the batch (or the
    sum of their weights), is added to the loss. Intercepts are not penalised.
batch_size : int or 'auto', default='auto'
    Rows of a minibatch; 'auto' means ``min(200, n_samples)``. Not used by 'lbfgs'.
learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
    Schedule of the learning rate with ``solver='sgd'``: 'constant' stays at `learning_rate_init`;
    'invscaling' is ``learning_rate_init / (t + 1) ** power_t`` after ``t`` rows, moved once an epoch;
    'adaptive' divides the rate by 5 each time `n_iter_no_change` epochs in a row brought no progress.
learning_rate_init : float, default=0.001
    The learning rate to begin with. Not used by 'lbfgs'.
power_t : float, default=0.5
    Exponent of the 'invscaling' schedule.
max_iter : int, default=200
    Largest number of epochs (passes over the data), for 'lbfgs' of iterations.
shuffle : bool, default=True
    Whether each epoch takes the rows in a new random order. Not used by 'lbfgs'.
random_state : int, RandomState instance or None, default=None
    Source of the initial weights, of the early-stopping split and of the row orders. An int makes the fit
    repeatable; None follows ``numpy.random.seed``.
tol : float, default=1e-4
    An epoch counts as progress if it betters the best loss (or validation score) by at least this. For
    'lbfgs', the largest component of the gradient at which the search ends.
verbose : bool or int, default=False
    Whether to print a line for each epoch.
warm_start : bool, default=False
    Whether `fit` starts from the weights of the fit before. The optimizer, and the count of epochs without
    progress, start anew.
momentum : float, default=0.9
    Momentum of 'sgd', in [0, 1].
nesterovs_momentum : bool, default=True
    Whether 'sgd' looks ahead along its momentum.
early_stopping : bool, default=False
    Whether to set aside `validation_fraction` of the rows, to stop when their score no longer improves, and
    to keep the weights of the best epoch. Not used by 'lbfgs'.
validation_fraction : float, default=0.1
    Share of the rows to set aside, in [0, 1).
beta_1, beta_2 : float, default=0.9 and 0.999
    How much of the running means of the gradient and of its square 'adam' keeps, in [0, 1).
epsilon : float, default=1e-8
    Keeps the division in 'adam' finite.
n_iter_no_change : int or numpy.inf, default=10
    Training ends after more than so many epochs in a row without progress.
max_fun : int, default=15000
    Largest number of evaluations of the loss by 'lbfgs'.
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
    The loss of each epoch: the mean over its batches, each taken before its step. Not there with 'lbfgs'.
validation_scores_ : list of float or None
    The {score} of the validation set after each epoch; None without early stopping.
best_validation_score_ : float or None
    The best of them.
n_iter_ : int
    Number of epochs of the last fit; for 'lbfgs', of iterations.
t_ : int
    Number of rows that training has seen, each as often as it was used.
n_layers_ : int
    Number of layers, input and output included.
n_outputs_ : int
    Number of outputs.
out_activation_ : str
    Name of the function that turns the raw output into the prediction.
n_features_in_ : int
    Number of features seen in `fit`.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the features, where X had names that are all strings.
"""


def documented(score):
    """Return a decorator that puts the shared parts into a class docstring."""

    def fill(cls):
        def indented(text):
            return text.strip().replace("\n", "\n    ")

        cls.__doc__ = (
            cls.__doc__.replace("{parameters}", indented(PARAMETERS))
            .replace("{attributes}", indented(ATTRIBUTES))
            .replace("{score}", score)
        )
        return cls

    return fill
