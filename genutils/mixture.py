"""Mixtures: a hidden cause with K values, and a simple distribution for each. Fitted by expectation maximisation."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from genutils.model import Model


class Mixture(Model):
    """``p(x) = sum_k weight_k p_k(x)``, exact. Subclasses say what a component is, how it starts and is maximised.

    Attributes:
        weights: (K,) probabilities of the causes.
        history: the training objective after each step of EM, nats per example: the mean log-likelihood, plus the log
            prior of the parameters where there is smoothing. EM never lowers it.
        held_out: mean log-likelihood of the validation data after each step, where there was any.
    """

    def __init__(self, K: int):
        if isinstance(K, bool | str) or not 1 <= K < math.inf or K != int(K):
            raise ValueError(f"K is the number of components, 1 or more; it is {K!r}")
        self.K, self.history, self.held_out = int(K), [], []

    def fit(
        self,
        x: np.ndarray,
        *,
        validation: np.ndarray | None = None,
        steps: int = 100,
        tolerance: float = 1e-4,
        seed: int = 0,
    ) -> Mixture:
        """Expectation maximisation from a random start; the parameters with the best validation score are kept.

        Args:
            x: (N, D) examples.
            validation: (M, D) held-out examples; without them, the last parameters are kept.
            steps: at most so many.
            tolerance: stop when a step gains less than this, in nats per example.
            seed: of the start.

        Returns:
            The mixture itself, fitted.
        """
        for name in ("dims", "weights"):  # forget an earlier fit
            self.__dict__.pop(name, None)
        x = self._checked(x)
        if not len(x):
            raise ValueError("there are no examples to fit")
        if len(x) < self.K:
            raise ValueError(f"{len(x)} examples cannot hold {self.K} components apart; choose K at most {len(x)}")
        if steps < 1:
            raise ValueError(f"EM needs at least one step; steps is {steps!r}")
        self.history, self.held_out = [], []
        self._start(x, np.random.default_rng(seed))
        if validation is not None:
            validation = self._checked(validation)
            if not len(validation):
                raise ValueError("there are no examples in validation")
        joint, best, kept = self._joint(x), -math.inf, {}
        for _ in range(steps):
            self._maximise(x, np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))
            joint = self._joint(x)  # (N, K)
            self.history.append(float(logsumexp(joint, axis=1).mean() + self._log_prior() / len(x)))
            if validation is not None:
                self.held_out.append(float(self.log_prob(validation).mean()))
                if self.held_out[-1] > best:
                    best, kept = self.held_out[-1], self._parameters()
            if len(self.history) > 1 and self.history[-1] - self.history[-2] < tolerance:
                break
        self.__dict__.update(kept)
        return self

    def log_prob(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Exact log-probability (or log-density) of each example: (B,) nats, summed over dimensions.

        Its causes are hidden: it knows no classes, and labels are refused.
        """
        self._refuse(labels)
        return logsumexp(self._joint(self._checked(x)), axis=1)

    def responsibilities(self, x: np.ndarray) -> np.ndarray:
        """(B, K) the posterior ``p(k | x)`` of the causes; rows sum to 1."""
        joint = self._joint(self._checked(x))
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))

    def sample(
        self, n: int, labels: np.ndarray | None = None, *, generator: np.random.Generator | None = None
    ) -> np.ndarray:
        """(n, D) independent samples: a cause for each, then an example of that cause."""
        self._refuse(labels)
        self._fitted()
        rng = generator or np.random.default_rng()
        return self._draw(rng.choice(self.K, size=n, p=self.weights), rng)

    def _joint(self, x: np.ndarray) -> np.ndarray:
        """(B, K) log p(x, k)."""
        self._fitted()
        with np.errstate(divide="ignore"):
            return np.log(self.weights) + self._components(x)

    def _fitted(self) -> None:
        if "weights" not in self.__dict__:
            raise ValueError(f"this {type(self).__name__} has not been fitted; call fit(x) first")

    def _log_prior(self) -> float:
        return 0.0

    def _parameters(self) -> dict[str, Any]:
        return {k: v.copy() for k, v in self.__dict__.items() if isinstance(v, np.ndarray)}

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x)
        dims = self.__dict__.get("dims")
        if x.dtype.kind not in "biuf":
            raise ValueError(f"a mixture takes numbers; these are {x.dtype}")
        if x.ndim != 2 or not x.shape[1] or (dims is not None and x.shape[1] != dims):
            wanted = f"(B, {dims})" if dims is not None else "(B, D)"
            raise ValueError(
                f"a mixture takes examples of shape {wanted}; these have shape {x.shape}. Flatten images first"
            )
        return x


class GaussianMixture(Mixture):
    """A mixture of Gaussians: ``p(x) = sum_k weight_k N(x; mean_k, covariance_k)``, an exact density.

    Args:
        K: components.
        covariance: "full", "diagonal" or "round" (a multiple of the identity).
        floor: the least variance in any direction, in squared units of the data. Without one, a component that holds a
            single point shrinks onto it, and the likelihood is infinite.

    Attributes:
        means: (K, D).
        covariances: (K, D, D), whatever their form.

    Raises:
        ValueError: a setting is out of range, or the data are not finite numbers.

    Source: Bishop (2006), section 9.2. Under the floor the best covariance has the eigenvalues of the weighted one,
    those below the floor lifted to it, so EM stays exact.

    >>> x = np.array([[-1.0], [1.0]] * 8)
    >>> one = GaussianMixture(1).fit(x)
    >>> bool(np.allclose(one.log_prob(np.zeros((1, 1))), -0.5 * math.log(2 * math.pi)))
    True
    """

    def __init__(self, K: int, covariance: str = "full", floor: float = 1e-6):
        super().__init__(K)
        if covariance not in ("full", "diagonal", "round"):
            raise ValueError(f"covariance is 'full', 'diagonal' or 'round'; it is {covariance!r}")
        if not (0 < floor < math.inf):
            raise ValueError(f"floor must be above 0, or a component may shrink to a point; it is {floor!r}")
        self.covariance, self.floor = covariance, floor

    def parameter_count(self) -> int:
        """Numbers that were fitted: weights, means, and variances or covariances."""
        each = {"full": self.dims * (self.dims + 1) // 2, "diagonal": self.dims, "round": 1}[self.covariance]
        return self.K - 1 + self.K * (self.dims + each)

    def _start(self, x: np.ndarray, rng: np.random.Generator) -> None:
        self.dims = x.shape[1]
        r = 0.9 * _k_means(x, self.K, rng) + 0.1 / self.K  # nobody is certain at the start
        self._maximise(x, r)

    def _maximise(self, x: np.ndarray, r: np.ndarray) -> None:
        mass = r.sum(0) + 1e-12  # (K,) how many examples each cause is responsible for
        self.weights = mass / mass.sum()
        self.means = (r.T @ x) / mass[:, None]  # (K, D)
        self.covariances = np.stack([self._spread(x - m, r[:, k] / mass[k]) for k, m in enumerate(self.means)])

    def _spread(self, d: np.ndarray, w: np.ndarray) -> np.ndarray:
        """(D, D) the covariance of differences d (N, D) under weights w, in the form asked for, above the floor."""
        if self.covariance == "full":
            values, vectors = np.linalg.eigh((w[:, None] * d).T @ d)
            return (vectors * np.maximum(values, self.floor)) @ vectors.T
        variance = w @ d**2  # (D,)
        if self.covariance == "round":
            variance = np.full(self.dims, variance.mean())
        return np.diag(np.maximum(variance, self.floor))

    def _components(self, x: np.ndarray) -> np.ndarray:
        out = np.empty((len(x), self.K))
        for k in range(self.K):
            root = np.linalg.cholesky(self.covariances[k])
            z = solve_triangular(root, (x - self.means[k]).T, lower=True)  # (D, B) whitened
            out[:, k] = -0.5 * (z**2).sum(0) - np.log(np.diag(root)).sum() - 0.5 * self.dims * math.log(2 * math.pi)
        return out

    def _draw(self, k: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noise, roots = rng.standard_normal((len(k), self.dims)), np.linalg.cholesky(self.covariances)
        out = np.empty_like(noise)
        for j in range(self.K):
            out[k == j] = self.means[j] + noise[k == j] @ roots[j].T
        return out

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x = super()._checked(x).astype(np.float64)
        if not np.isfinite(x).all():
            raise ValueError(f"data must be finite; this holds {x[~np.isfinite(x)][0]}. Leave such examples out")
        if np.abs(x).max(initial=0) > 1e100:  # squares would overflow, and the library of linear algebra crash
            raise ValueError(
                f"a number is as large as {np.abs(x).max():.1e}; choose a larger unit, so that squares fit"
            )
        return x


class CategoricalMixture(Mixture):
    """A mixture of tables: given the cause, the D dimensions are independent, each with its own table over L levels.

    ``P(x) = sum_k weight_k prod_d table_k[d, x_d]``: exact probabilities of whole numbers.

    Args:
        K: components; K = 1 is one histogram for each dimension.
        levels: L; the data are whole numbers 0 ... L - 1.
        smoothing: pretended counts of each level in each table, so that what has not come yet is not impossible.
        towards: further pretended counts, spread like the dimension's own histogram: so many examples must a cause hold
            before its table is its own. (The two together are a Dirichlet prior.)
        blur: for levels that are ordered, such as greys: a level that came makes its neighbours likelier, within about
            this many levels. 0 for none.
        share: how much of each table is blurred so.

    Raises:
        ValueError: a setting is out of range, or the data are not whole numbers 0 ... levels - 1.

    Source: Lazarsfeld and Henry (1968), latent class analysis; Bishop (2006), section 9.3.3, for two levels.

    >>> x = np.array([[0, 0], [0, 0], [1, 1], [1, 1]])
    >>> mixture = CategoricalMixture(2, 2, smoothing=1e-6).fit(x)
    >>> np.exp(mixture.log_prob(np.array([[0, 0], [0, 1], [1, 1]]))).round(3).tolist()
    [0.5, 0.0, 0.5]
    """

    def __init__(
        self, K: int, levels: int, smoothing: float = 0.1, towards: float = 0.0, blur: float = 0.0, share: float = 0.7
    ):
        super().__init__(K)
        if isinstance(levels, bool) or not 2 <= levels < math.inf or levels != int(levels):
            raise ValueError(f"levels is how many values a dimension can take, 2 or more; it is {levels!r}")
        if not 0 < smoothing < math.inf:
            raise ValueError(f"smoothing must be above 0, or unseen levels are impossible; it is {smoothing!r}")
        if not (0 <= towards < math.inf and 0 <= blur < math.inf and 0 <= share < 1):
            raise ValueError(f"towards and blur are 0 or more, share is in [0, 1); they are {towards}, {blur}, {share}")
        self.levels, self.smoothing, self.towards = int(levels), smoothing, towards
        self.kernel = _kernel(self.levels, blur, share) if blur else np.eye(self.levels)  # (L, L)

    def parameter_count(self) -> int:
        """Numbers that were fitted: weights, and a table for each dimension of each cause."""
        return self.K - 1 + self.K * self.dims * (self.levels - 1)

    def _start(self, x: np.ndarray, rng: np.random.Generator) -> None:
        self.dims = x.shape[1]
        histogram = self._one_hot(x).mean(0).reshape(self.dims, self.levels)
        self.prior = self.smoothing + self.towards * histogram  # (D, L) pretended counts
        r = _k_means(x.astype(np.float64), self.K, rng)
        self.theta = np.full((self.K, self.dims, self.levels), 1 / self.levels)
        for _ in range(3):
            self._maximise(x, r)

    def _maximise(self, x: np.ndarray, r: np.ndarray) -> None:
        self.weights = r.sum(0) / len(x)
        counts = (self._one_hot(x).T @ r).T.reshape(self.K, self.dims, self.levels)
        sharp = counts / (self.theta @ self.kernel.T)  # which level was blurred into what was seen: EM within EM
        theta = self.theta * (sharp @ self.kernel) + self.prior
        self.theta = theta / theta.sum(2, keepdims=True)
        self.log_tables = np.log(self.theta @ self.kernel.T)  # (K, D, L)

    def _log_prior(self) -> float:
        return float((self.prior * np.log(self.theta)).sum())

    def _components(self, x: np.ndarray) -> np.ndarray:
        return self._one_hot(x) @ self.log_tables.reshape(self.K, -1).T

    def _one_hot(self, x: np.ndarray) -> np.ndarray:
        return (x[:, :, None] == np.arange(self.levels)).reshape(len(x), x.shape[1] * self.levels) + 0.0  # (B, D L)

    def _draw(self, k: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        gumbel = rng.gumbel(size=(len(k), self.dims, self.levels))
        return (self.log_tables[k] + gumbel).argmax(2)

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x = super()._checked(x)
        wrong = (x < 0) | (x >= self.levels) | (x != np.floor(x))
        if wrong.any():
            raise ValueError(
                f"data are whole numbers 0 ... {self.levels - 1}; this holds {x[wrong][0]}. Was it scaled?"
            )
        return x


def _k_means(x: np.ndarray, K: int, rng: np.random.Generator, rounds: int = 10) -> np.ndarray:
    """(N, K) one-hot: which of K groups each example is in, after some rounds of k-means from a k-means++ start."""
    from scipy.cluster.vq import kmeans2  # here, since loading it takes longer than all else in this file

    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", UserWarning)  # where fewer than K examples differ, a group may stay empty
        group = kmeans2(x, K, iter=rounds, minit="++", rng=rng)[1]
    return np.eye(K)[group]


def _kernel(levels: int, blur: float, share: float) -> np.ndarray:
    """(L, L), columns sum to 1: part of each level is spread over its neighbours; level 0, the paper, stays sharp."""
    i = np.arange(levels)
    kernel = np.exp(-0.5 * ((i[:, None] - i) / blur) ** 2)
    kernel[0, 1:] = kernel[1:, 0] = 0.0
    return (1 - share) * np.eye(levels) + share * kernel / kernel.sum(0)
