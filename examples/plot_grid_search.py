"""
Searching a pipeline's parameters
=================================

``GridSearchCV`` tries combinations of parameters and keeps the best one. A solver, a loss or a schedule that
is given as an object has parameters too, and a search reaches into it as scikit-learn reaches into any
part: ``solver__weight_decay`` is the `weight_decay` of the `solver`. Here it is searched together with the
layers, behind a scaler.
"""

# %%
# The pipeline
# ------------
# Friedman's function of ten inputs, five of which matter, with noise. There are 300 rows to train with, so
# that a network can easily be too large.

import matplotlib.pyplot as plt
from sklearn.datasets import make_friedman1
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknumpynet import AdamW, Lion, NumpyMLPRegressor

X, y = make_friedman1(1300, noise=2.0, random_state=0)
y = (y - y.mean()) / y.std()  # unit variance suits the learning rate; R2 stays the same
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=300, random_state=0)

network = NumpyMLPRegressor(
    solver=AdamW(),
    alpha=0,  # weight decay takes its place
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    batch_size=50,
    max_iter=40,
    random_state=0,
)
model = Pipeline([("scale", StandardScaler()), ("network", network)])

# %%
# Names with double underscores
# -----------------------------
# From the outside in: the step of the pipeline, its parameter, and the parameter of that. ``get_params``
# lists them all.

print([name for name in model.get_params() if name.startswith("network__solver")])

# %%
# Sixteen combinations, five folds each. `n_jobs` would share them among processes.

layers = [(10,), (50,), (100,), (50, 50)]
decays = [0.0, 1.0, 3.0, 10.0]
search = GridSearchCV(
    model,
    {"network__hidden_layer_sizes": layers, "network__solver__weight_decay": decays},
    cv=5,
)
search.fit(X_train, y_train)
print(search.best_params_)
print(
    f"R2 of the folds {search.best_score_:.3f}, of the test rows {search.score(X_test, y_test):.3f}"
)

# %%
# The best network is fitted anew on all training rows. The same layers without decay:

plain = search.best_estimator_.set_params(network__solver__weight_decay=0.0)
print(f"without decay: R2 of the test rows {plain.fit(X_train, y_train).score(X_test, y_test):.3f}")

# %%
# All of them at a glance: mean and standard deviation of R2 over the folds. All cells see the same folds, and
# so the standard deviations tell how much the folds differ, not how sure a mean is. Where two cells are about
# level, the smaller network is the cheaper one.

shape = len(layers), len(decays)  # the last name in the alphabet moves fastest
means = search.cv_results_["mean_test_score"].reshape(shape)
spreads = search.cv_results_["std_test_score"].reshape(shape)

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
image = axes.imshow(means, vmin=means.max() - 0.2, cmap="viridis", aspect="auto")
figure.colorbar(image, label="R2, mean of five folds", extend="min")
for row in range(shape[0]):
    for column in range(shape[1]):
        mean, spread = means[row, column], spreads[row, column]
        color = "white" if mean < means.max() - 0.1 else "black"
        axes.text(column, row, f"{mean:.3f}\n± {spread:.3f}", color=color, ha="center", va="center")
axes.set(
    xticks=range(shape[1]),
    xticklabels=decays,
    yticks=range(shape[0]),
    yticklabels=layers,
    xlabel="solver__weight_decay",
    ylabel="hidden_layer_sizes",
)
plt.show()

# %%
# Whole objects
# -------------
# An object can be a candidate itself, beside names; a list of grids keeps apart what does not go together.

model.set_params(network__hidden_layer_sizes=search.best_params_["network__hidden_layer_sizes"])
solvers = GridSearchCV(
    model,
    [
        {
            "network__solver": [AdamW(weight_decay=1.0)],
            "network__learning_rate_init": [0.003, 0.01],
        },
        {
            "network__solver": [Lion(weight_decay=1.0)],
            "network__learning_rate_init": [0.001, 0.003],
        },
        {"network__solver": ["adam"], "network__alpha": [1.0, 10.0]},
    ],
    cv=5,
)
solvers.fit(X_train, y_train)
for parameters, score in zip(
    solvers.cv_results_["params"], solvers.cv_results_["mean_test_score"], strict=True
):
    named = ", ".join(f"{name.split('__')[-1]}={value}" for name, value in parameters.items())
    print(f"{named:60} {score:.3f}")
