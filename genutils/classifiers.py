"""Gaussian classifiers: a density for each class, and Bayes' rule. Exact, also where part of an example is missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp, softmax

from genutils.information.arguments import distribution
from genutils.model import Model


class GaussianClassifier(Model):
    """``p(x, y) = p(y) N(x; mean_y, covariance_y)``, exact: LDA where the classes share a covariance, QDA where not.

    Fitted by maximum likelihood (covariances are divided by N, not N - 1). In x a ``nan`` means *missing*: that number
    is integrated out, which for a Gaussian is exact and means leaving its row and column out.

    Args:
        shared: one covariance for all classes (linear discriminant analysis) or one each (quadratic).
        ridge: added to each variance, in squared units of the data. Where a feature is constant within a class, such
            as a pixel that is always paper, or where examples are fewer than features, 0 will not do.
        diagonal: take the features to be independent given the class ("naive Bayes").

    Attributes:
        classes: (K,) the labels, sorted.
        prior: (K,) p(y), the frequencies of the labels in ``fit``. Assign another where classes come differently.
        means: (K, D).
        covariances: (K, D, D), ridge included; K times the same if shared.

    Raises:
        ValueError: a setting is out of range.

    Source: Fisher (1936); Hastie, Tibshirani and Friedman (2009), section 4.3.

    >>> x, y = np.array([[-3.0], [-1.0], [1.0], [3.0]]), np.array(["a", "a", "b", "b"])
    >>> model = GaussianClassifier().fit(x, y)  # means -2 and 2, variance 1: the log odds are 4x
    >>> model.posterior(np.array([[0.5], [np.nan]])).round(4)
    array([[0.1192, 0.8808], [0.5 , 0.5 ]])
    """

    def __init__(self, shared: bool = True, ridge: float = 0.0, *, diagonal: bool = False):
        for name, value in (("shared", shared), ("diagonal", diagonal)):
            if not isinstance(value, (bool, np.bool_)):
                raise ValueError(f"{name} is True or False; it is {value!r}")
        if isinstance(ridge, bool) or not isinstance(ridge, (int, float, np.number)) or not 0 <= ridge < math.inf:
            raise ValueError(f"ridge is a variance to add, 0 or more; it is {ridge!r}")
        self.shared, self.ridge, self.diagonal = bool(shared), float(ridge), bool(diagonal)

    def fit(self, x: np.ndarray, y: np.ndarray) -> GaussianClassifier:
        """Maximum likelihood: the frequency, mean and covariance of each class (the covariances pooled if shared).

        Args:
            x: (N, D) complete examples.
            y: (N,) labels of any kind that can be sorted.

        Returns:
            The classifier itself, fitted.

        Raises:
            ValueError: shapes do not fit, a number is missing, or a covariance is singular; names the feature.
        """
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y)
        if x.ndim != 2 or not x.size or y.shape != x.shape[:1]:
            raise ValueError(f"fit takes x (N, D) and y (N,); these are {x.shape} and {y.shape}. Flatten images first")
        if not np.isfinite(x).all():
            n, d = (int(i) for i in np.argwhere(~np.isfinite(x))[0])
            raise ValueError(f"fit needs complete examples; x[{n}, {d}] = {x[n, d]}. Leave such examples out")
        if np.abs(x).max() > 1e100:  # squares would overflow
            raise ValueError(f"a number in x is as large as {np.abs(x).max():.1e}; choose a larger unit")
        if (y != y).any():
            raise ValueError(f"y[{int(np.argmax(y != y))}] is nan, which is no label; leave such examples out")
        try:
            self.classes, index = np.unique(y, return_inverse=True)
        except TypeError as error:
            raise ValueError(f"labels must be of a kind that can be sorted: {error}") from error
        counts = np.bincount(index)  # (K,)
        self.prior = counts / counts.sum()
        self.means = np.stack([x[index == k].mean(0) for k in range(len(counts))])
        if self.shared:
            pooled = self._regular(x - self.means[index], "")
            self.covariances = np.broadcast_to(pooled, (len(counts), *pooled.shape))
        else:
            names = [f" of class {c!r}" for c in self.classes.tolist()]
            own = [self._regular(x[index == k] - self.means[k], name) for k, name in enumerate(names)]
            self.covariances = np.stack(own)
        return self

    def log_joint(self, x: np.ndarray) -> np.ndarray:
        """(B, K) ``log p(x, y)`` of each example with each class, nats; missing numbers (nan) integrated out.

        Args:
            x: (B, D). Where all of a row is missing, ``log p(y)`` remains.
        """
        x = self._checked(x)
        with np.errstate(divide="ignore"):
            out = np.tile(np.log(self._prior()), (len(x), 1))
        patterns, which = np.unique(~np.isnan(x), axis=0, return_inverse=True)  # rows that miss the same go together
        for j, seen in enumerate(patterns):
            rows = which.reshape(-1) == j
            part = x[np.ix_(rows, seen)]  # (b, d)
            for k, mean in enumerate(self.means):
                if k == 0 or not self.shared:
                    root = np.linalg.cholesky(self.covariances[k][np.ix_(seen, seen)])
                    volume = np.log(np.diag(root)).sum() + 0.5 * seen.sum() * math.log(2 * math.pi)
                white = solve_triangular(root, (part - mean[seen]).T, lower=True)  # (d, b) of unit variance
                out[rows, k] -= 0.5 * (white**2).sum(0) + volume
        return out

    def log_prob(self, x: np.ndarray, labels: Any = None) -> np.ndarray:
        """Exact log-density ``log sum_y p(y) p(x | y)`` of what there is of each example: (B,) nats.

        It may be positive: a density is not a probability. Rows that miss different numbers cannot be compared.

        Args:
            x: (B, D).
            labels: (B,) of those that were fitted, or one for all; with them, it is ``log p(x | y)``.
        """
        joint = self.log_joint(x)
        if labels is None:
            return logsumexp(joint, axis=1)
        k = self._labels(labels, len(joint))
        with np.errstate(divide="ignore", invalid="ignore"):
            return joint[np.arange(len(joint)), k] - np.log(self._prior()[k])

    def posterior(self, x: np.ndarray) -> np.ndarray:
        """(B, K) ``p(y | x)`` by Bayes' rule; rows sum to 1."""
        return softmax(self.log_joint(x), axis=1)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """(B,) the label of the likeliest class."""
        return self.classes[self.log_joint(x).argmax(1)]

    def sample(self, n: int, labels: Any = None, *, generator: np.random.Generator | None = None) -> np.ndarray:
        """(n, D) independent samples of ``p(x)``, or of ``p(x | y)``.

        Args:
            n: how many.
            labels: (n,) of those that were fitted, or one for all; without them each draws its class from ``prior``.
            generator: of numpy.

        Raises:
            ValueError: a label is not among the classes, or there are not n of them.
        """
        self._fitted()
        rng = generator or np.random.default_rng()
        k = rng.choice(len(self.classes), size=n, p=self._prior()) if labels is None else self._labels(labels, n)
        noise, roots = rng.standard_normal((n, self.means.shape[1])), np.linalg.cholesky(self.covariances)
        return self.means[k] + np.einsum("nde,ne->nd", roots[k], noise) if n else noise

    def _labels(self, labels: Any, n: int) -> np.ndarray:
        """(n,) places in ``classes`` of labels of any kind."""
        y = np.asarray(labels)
        if y.shape not in ((), (n,)):
            raise ValueError(f"labels are one for all, or {n} of them; their shape is {y.shape}")
        known = np.isin(y, self.classes)
        if not known.all():
            strange = np.atleast_1d(y)[~np.atleast_1d(known)][0].item()
            raise ValueError(f"{strange!r} is not among the classes {self.classes.tolist()}")
        return np.broadcast_to(np.searchsorted(self.classes, y), (n,))

    def parameter_count(self) -> int:
        """Numbers that were fitted: the frequencies, means, and variances or covariances."""
        self._fitted()
        K, D = self.means.shape
        each = D if self.diagonal else D * (D + 1) // 2
        return K - 1 + K * D + each * (1 if self.shared else K)

    def _regular(self, d: np.ndarray, where: str) -> np.ndarray:
        """(D, D) the covariance of differences d (N, D) plus the ridge; ValueError if it is singular."""
        covariance = np.diag((d**2).mean(0)) if self.diagonal else d.T @ d / len(d)
        covariance += self.ridge * np.eye(d.shape[1])
        variance = np.diag(covariance)
        flat = np.flatnonzero(variance <= 1e-12 * max(variance.max(), 1e-300))
        if len(flat):
            raise ValueError(
                f"the covariance{where} is singular: feature {flat[0]} is constant within the class"
                f"{'' if len(flat) == 1 else f', and {len(flat) - 1} more are'}. Give a ridge above 0, or leave it out"
            )
        if not self.diagonal:
            scale = np.sqrt(variance)
            least = np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0]  # of the correlations: free of units
            if least < 1e-12:
                raise ValueError(
                    f"the covariance{where} is singular: {len(d)} examples do not fill {d.shape[1]} dimensions, or "
                    "features depend on each other. Give a ridge above 0, or more examples"
                )
        return covariance

    def _prior(self) -> np.ndarray:
        """The frequencies of the classes, also where somebody assigned others."""
        prior = distribution(self.prior, "prior", (-1,))
        if prior.shape != (len(self.classes),):
            raise ValueError(f"prior holds one probability for each of {len(self.classes)} classes, not {prior.shape}")
        return prior

    def _fitted(self) -> None:
        if "means" not in self.__dict__:
            raise ValueError(f"this {type(self).__name__} has not been fitted; call fit(x, y) first")

    def _checked(self, x: np.ndarray) -> np.ndarray:
        self._fitted()
        x, dims = np.asarray(x, dtype=np.float64), self.means.shape[1]
        if x.ndim != 2 or x.shape[1] != dims:
            raise ValueError(f"this classifier takes x of shape (B, {dims}); this has {x.shape}. Flatten images first")
        if np.isinf(x).any():
            n, d = (int(i) for i in np.argwhere(np.isinf(x))[0])
            raise ValueError(f"x[{n}, {d}] = {x[n, d]}: numbers must be finite, or nan where they are missing")
        return x
