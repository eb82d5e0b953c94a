"""
Callbacks, and stopping on your own data
========================================

You can watch training while it runs. The score on your own validation data can be recorded, or decide when to
stop, also inside a pipeline. With scikit-learn's callbacks (version 1.9 and later) you can run any code after
each epoch, and end the fit.
"""

# %%
# Which rows to stop on
# ---------------------
# ``early_stopping=True`` sets aside a random tenth of the rows. Such a validation score is misleading if
# neighbouring rows are similar, as in these digits: later rows are harder for a network that was trained only
# on earlier ones. For such data, use a separate block of rows for validation.

import importlib.util
import warnings

import matplotlib.pyplot as plt
import sklearn
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import NumpyMLPClassifier, ValidationMonitor

warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is a choice here

X, y = load_digits(return_X_y=True)
X_train, X_val, X_test = X[:1000], X[1000:1400], X[1400:]
y_train, y_val, y_test = y[:1000], y[1000:1400], y[1400:]

options = {"hidden_layer_sizes": (50,), "learning_rate_init": 0.003, "random_state": 0}
network = NumpyMLPClassifier(early_stopping=True, **options)
model = Pipeline([("scale", StandardScaler()), ("network", network)])
model.fit(X_train, y_train)
print(f"a random tenth: best score {network.best_validation_score_:.3f}, {network.n_iter_} epochs")
print(f"    test rows:  {model.score(X_test, y_test):.3f}")

# %%
# Validation data in a pipeline
# -----------------------------
# Validation data are passed to ``fit`` as ``X_val`` and ``y_val``. They have to be scaled in the same way as
# X: ``transform_input`` lists the arguments that go through the same steps, and ``set_fit_request`` passes
# them to the network. Both are part of scikit-learn's metadata routing, which has to be enabled.

with sklearn.config_context(enable_metadata_routing=True):
    network = NumpyMLPClassifier(early_stopping=True, **options)
    network.set_fit_request(X_val=True, y_val=True)
    steps = [("scale", StandardScaler()), ("network", network)]
    model = Pipeline(steps, transform_input=["X_val"])
    model.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"separate rows:  best score {network.best_validation_score_:.3f}, {network.n_iter_} epochs")
print(f"    test rows:  {model.score(X_test, y_test):.3f}")

# %%
# The weights are those of the best epoch. ``scoring`` selects another score, such as ``"neg_log_loss"``.
#
# Callbacks
# ---------
# A callback is an object whose methods are called at the beginning and end of each fit and each epoch.
# :class:`~sknumpynet.ValidationMonitor` scores the data that it was given, with any scorer, and does not
# affect training. You can use several. Here the data are scaled beforehand.

train, validation, test = X_train / 16, X_val / 16, X_test / 16
monitors = {
    "training": ValidationMonitor(train, y_train, scoring="neg_log_loss"),
    "validation": ValidationMonitor(validation, y_val, scoring="neg_log_loss"),
    "test": ValidationMonitor(test, y_test, scoring="neg_log_loss", every=5),
}

# %%
# A custom callback is a class with four methods; this one ends the fit. ``on_fit_task_end`` lists in its
# signature what it needs; ``fitted_estimator`` is a copy with the current predictions of the network. If it
# returns True, the fit ends after this epoch.


class UntilScore:
    """Ends the fit as soon as the accuracy on the given images reaches a limit."""

    def __init__(self, X, y, score):
        self.X, self.y, self.score = X, y, score

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        return context.task_name == "epoch" and fitted_estimator.score(self.X, self.y) >= self.score

    def teardown(self, estimator, context):
        pass


# %%
# ``set_callbacks`` sets the callbacks of a network, also inside a ``Pipeline`` or ``GridSearchCV``. Before
# scikit-learn 1.9 it raises an error that says what to upgrade. ``ProgressBar`` needs the package rich;
# ``verbose=1`` shows progress without any package.

callbacks = list(monitors.values())
if importlib.util.find_spec("sklearn.callback") and importlib.util.find_spec("rich"):
    from sklearn.callback import ProgressBar

    callbacks.append(ProgressBar())

options |= {"max_iter": 60, "learning_rate_init": 0.01}
stopped = NumpyMLPClassifier(**options)
watched = NumpyMLPClassifier(**options)
try:
    stopped.set_callbacks(UntilScore(validation, y_val, 0.95)).fit(train, y_train)
    watched.set_callbacks(*callbacks).fit(train, y_train)
    print(f"validation accuracy 0.95 reached after {stopped.n_iter_} epochs")
except ImportError as error:
    print(error)

# %%
# The recorded losses
# -------------------
# The training loss keeps falling, the validation loss hardly falls in the second half, and the test loss, on
# the rows that are least similar to the training rows, rises again.

STYLES = {
    "training": ("#009E73", "-", ""),
    "validation": ("#0072B2", "--", ""),
    "test": ("#D55E00", "", "o"),
}
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name, monitor in monitors.items():
    color, line, marker = STYLES[name]
    losses = [-score for score in monitor.scores_]
    axes.plot(monitor.epochs_, losses, line + marker, color=color, linewidth=2, label=name)
if hasattr(stopped, "n_iter_"):
    axes.axvline(stopped.n_iter_, color="grey", linestyle=":", label="UntilScore ends the fit")
axes.set(xlabel="epoch", ylabel="log loss", ylim=(0, 1))
axes.legend()
plt.show()
