"""Mixtures: a hidden cause with K values, and a simple distribution for each. Fitted by expectation maximisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
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
        if isinstance(K, bool) or K != int(K) or K < 1:
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
        x = self._checked(x)
        if len(x) < self.K:
            raise ValueError(f"{len(x)} examples cannot hold {self.K} components apart; choose K at most {len(x)}")
        self.history, self.held_out = [], []
        self._start(x, np.random.default_rng(seed))
        best, kept = -math.inf, None
        for _ in range(steps):
            joint = self._joint(x)  # (N, K)
            total = logsumexp(joint, axis=1)
            self._maximise(x, np.exp(joint - total[:, None]))  # responsibilities
            self.history.append(float(self._joint_total(x) + self._log_prior() / len(x)))
            if validation is not None:
                self.held_out.append(float(self.log_prob(validation).mean()))
                if self.held_out[-1] > best:
                    best, kept = self.held_out[-1], self._parameters()
            if len(self.history) > 1 and self.history[-1] - self.history[-2] < tolerance:
                break
        if kept is not None:
            self.__dict__.update(kept)
        return self

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Exact log-probability (or log-density) of each example: (B,) nats, summed over dimensions."""
        return logsumexp(self._joint(self._checked(x)), axis=1)

    def responsibilities(self, x: np.ndarray) -> np.ndarray:
        """(B, K) the posterior ``p(k | x)`` of the causes; rows sum to 1."""
        joint = self._joint(self._checked(x))
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))

    def sample(self, n: int, *, generator: np.random.Generator | None = None) -> np.ndarray:
        """(n, D) independent samples: a cause for each, then an example of that cause."""
        self._fitted()
        rng = generator or np.random.default_rng()
        return self._draw(rng.choice(self.K, size=n, p=self.weights), rng)

    def _joint(self, x: np.ndarray) -> np.ndarray:
        """(B, K) log p(x, k)."""
        self._fitted()
        with np.errstate(divide="ignore"):
            return np.log(self.weights) + self._components(x)

    def _joint_total(self, x: np.ndarray) -> float:
        return logsumexp(self._joint(x), axis=1).mean()

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
        if x.ndim != 2 or not x.size or (dims is not None and x.shape[1] != dims):
            wanted = f"(B, {dims})" if dims is not None else "(B, D)"
            raise ValueError(
                f"a mixture takes examples of shape {wanted}; these have shape {x.shape}. Flatten images first"
            )
        return x


class GaussianMixture(Mixture):
    """A mixture of Gaussians.

    Args:
        K: components.
        covariance: "full", "diagonal" or "round" (a multiple of the identity).
        floor: variance added to every direction, in squared units of the data: without it a component that holds a
            single point shrinks onto it, and the likelihood is infinite.

    Source: Bishop (2006), section 9.2.
    """

    def __init__(self, K: int, covariance: str = "full", floor: float = 1e-6):
        super().__init__(K)
        if covariance not in ("full", "diagonal", "round"):
            raise ValueError(f"covariance is 'full', 'diagonal' or 'round'; it is {covariance!r}")
        if not floor > 0:
            raise ValueError(f"floor must be above 0, or a component may shrink to a point; it is {floor!r}")
        self.covariance, self.floor = covariance, floor

    def _start(self, x: np.ndarray, rng: np.random.Generator) -> None:
        x = x.astype(np.float64)
        self.dims = x.shape[1]
        chosen = [x[rng.integers(len(x))]]  # far from each other with high probability (k-means++)
        for _ in range(self.K - 1):
            square = np.min([((x - c) ** 2).sum(1) for c in chosen], axis=0)
            p = square / square.sum() if square.sum() > 0 else None
            chosen.append(x[rng.choice(len(x), p=p)])
        self.means = np.array(chosen)  # (K, D)
        nearest = ((x[:, None] - self.means) ** 2).sum(2).argmin(1) if len(x) * self.K * self.dims < 5e7 else None
        r = np.full((len(x), self.K), 0.1 / self.K)
        r[np.arange(len(x)), rng.integers(self.K, size=len(x)) if nearest is None else nearest] += 0.9
        self._maximise(x, r)

    def _maximise(self, x: np.ndarray, r: np.ndarray) -> None:
        mass = r.sum(0) + 1e-12  # (K,) how many examples each cause is responsible for
        self.weights = mass / mass.sum()
        self.means = (r.T @ x) / mass[:, None]
        eye = np.eye(self.dims)
        if self.covariance == "full":
            parts = []
            for k in range(self.K):
                d = x - self.means[k]
                parts.append((r[:, k, None] * d).T @ d / mass[k] + self.floor * eye)
            self.covariances = np.array(parts)  # (K, D, D)
        else:
            variance = np.maximum((r.T @ x**2) / mass[:, None] - self.means**2, 0)  # (K, D)
            if self.covariance == "round":
                variance = np.repeat(variance.mean(1, keepdims=True), self.dims, 1)
            self.covariances = (variance + self.floor)[:, :, None] * eye

    def _components(self, x: np.ndarray) -> np.ndarray:
        out = np.empty((len(x), self.K))
        for k in range(self.K):
            root = np.linalg.cholesky(self.covariances[k])
            z = np.linalg.solve(root, (x - self.means[k]).T)  # (D, B) whitened
            out[:, k] = -0.5 * (z**2).sum(0) - np.log(np.diag(root)).sum() - 0.5 * self.dims * math.log(2 * math.pi)
        return out

    def _draw(self, k: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        roots = np.linalg.cholesky(self.covariances)
        return self.means[k] + np.einsum("bij,bj->bi", roots[k], rng.standard_normal((len(k), self.dims)))


class CategoricalMixture(Mixture):
    """A mixture of tables: given the cause, the D dimensions are independent, each with its own table over L levels.

    Args:
        K: components; K = 1 is one histogram for each dimension.
        levels: L; the data are whole numbers 0 ... L - 1.
        smoothing: pretended counts of each level, so that what has not come yet is not impossible (a symmetric
            Dirichlet prior with parameter 1 + smoothing).
        towards: pretended counts spread like the dimension's own histogram: how far each cause must be from the average
            before it is believed.
        blur: for levels that are ordered, such as greys. A table is then ``(1 - share) theta + share * blurred theta``,
            blurred by a Gaussian of this many levels (level 0, the paper, stays sharp), so that a level that came makes
            its neighbours likelier. 0 for none.
        share: how much is blurred.
    """

    def __init__(
        self, K: int, levels: int, smoothing: float = 0.1, towards: float = 0.0, blur: float = 0.0, share: float = 0.5
    ):
        super().__init__(K)
        if not smoothing > 0:
            raise ValueError(f"smoothing must be above 0, or unseen levels are impossible; it is {smoothing!r}")
        if towards < 0 or blur < 0 or not 0 <= share < 1:
            raise ValueError(f"towards and blur are 0 or more, share is in [0, 1); they are {towards}, {blur}, {share}")
        self.levels, self.smoothing, self.towards = levels, smoothing, towards
        self.kernel = _kernel(levels, blur, share) if blur else np.eye(levels)  # (L, L) columns sum to 1

    def _start(self, x: np.ndarray, rng: np.random.Generator) -> None:
        self.dims = x.shape[1]
        marginal = self._one_hot(x).sum(0).reshape(self.dims, self.levels)
        self.prior = self.smoothing + self.towards * marginal / len(x)  # (D, L)
        chosen = x[rng.choice(len(x), self.K, replace=False)]  # each cause begins with the examples nearest to one
        nearest = ((x[:, None] - chosen) ** 2).sum(2).argmin(1)
        self.theta = np.full((self.K, self.dims, self.levels), 1 / self.levels)
        for _ in range(3):
            self._maximise(x, np.eye(self.K)[nearest])

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
        return (x[:, :, None] == np.arange(self.levels)).reshape(len(x), -1).astype(np.float64)  # (B, D * L)

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


def _kernel(levels: int, blur: float, share: float) -> np.ndarray:
    i = np.arange(levels)
    kernel = np.exp(-0.5 * ((i[:, None] - i) / blur) ** 2)
    kernel[0, 1:] = kernel[1:, 0] = 0.0
    return (1 - share) * np.eye(levels) + share * kernel / kernel.sum(0)
