"""
Searching a pipeline's parameters
=================================

``GridSearchCV`` tries combinations of parameters and keeps the best one. A solver, loss or schedule that is
given as an object has parameters too, which can be searched over like those of any nested estimator:
``solver__weight_decay`` is the ``weight_decay`` of the ``solver``. Here it is searched over together with the
layers, in a pipeline with a scaler.
"""

# %%
# The pipeline
# ------------
# Friedman's function of ten inputs, five of which matter, with noise. There are only 300 training rows, so a
# network can easily be too large.

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
    alpha=0,  # replaced by weight decay
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
# Names go from the outside in: the step of the pipeline, its parameter, and the parameter of that object.
# ``get_params`` lists them all.

print([name for name in model.get_params() if name.startswith("network__solver")])

# %%
# Sixteen combinations with five folds each. ``n_jobs`` would distribute them over processes.

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
    f"R2 in cross-validation {search.best_score_:.3f}, on test rows {search.score(X_test, y_test):.3f}"
)

# %%
# The best network is fitted again on all training rows. The same layers without weight decay:

plain = search.best_estimator_.set_params(network__solver__weight_decay=0.0)
print(
    f"without weight decay: R2 on test rows {plain.fit(X_train, y_train).score(X_test, y_test):.3f}"
)

# %%
# All combinations: mean and standard deviation of R2 over the folds. All cells use the same folds, so the
# standard deviations show how much the folds differ, not how precise a mean is. If two cells are about equal,
# prefer the smaller network.

shape = len(layers), len(decays)  # the last name in alphabetical order varies fastest
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
# An object can itself be a candidate, as well as a name. A list of grids separates parameters that cannot be
# combined.

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
