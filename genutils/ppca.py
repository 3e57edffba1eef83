"""Probabilistic PCA: a Gaussian hidden cause, a linear map, and noise. Everything about it has a closed form."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from genutils.model import Model


class Posterior(NamedTuple):
    """``p(z | x) = N(z; mean, covariance)``: ``mean`` (B, K); ``covariance`` (K, K), the same for every x."""

    mean: np.ndarray
    covariance: np.ndarray


class PPCA(Model):
    """``z ~ N(0, I_K)``, ``x | z ~ N(W z + mean, noise I)``; so ``x ~ N(mean, W W^T + noise I)``, an exact density.

    Args:
        K: hidden dimensions, 1 <= K < D, or 0 for a round Gaussian.
        floor: the least ``noise``, in squared units of the data; data that lie on a plane have none of their own, and
            an infinite likelihood.

    Attributes:
        mean: (D,).
        W: (D, K). After ``fit`` its columns are the principal directions, longest first, each squared length being
            the variance above the noise; the sign of each is arbitrary, and so, to the likelihood, is any rotation.
        noise: variance of the noise in every direction, squared units of the data.
        history: of ``fit_em``: mean log-likelihood of the training data after each step, nats.

    Source: Tipping and Bishop (1999), sections 3.2 (closed form) and 3.3 with appendix B (EM).

    >>> x = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> model = PPCA(1).fit(x)  # variances 2 and 1/2 along the axes
    >>> model.noise, abs(model.W).round(6).ravel().tolist()
    (0.5, [1.224745, 0.0])
    """

    def __init__(self, K: int, floor: float = 1e-9):
        if isinstance(K, bool) or not 0 <= K < math.inf or K != int(K):
            raise ValueError(f"K is the number of hidden dimensions, 0 or more; it is {K!r}")
        if not (0 < floor < math.inf):
            raise ValueError(f"floor must be above 0, or the density of data on a plane is infinite; it is {floor!r}")
        self.K, self.floor, self.history = int(K), floor, []

    def fit(self, x: np.ndarray, noise: float | None = None) -> PPCA:
        """Maximum likelihood in closed form.

        With eigenvalues ``l_1 >= ... >= l_D`` of the sample covariance (divided by N) and eigenvectors ``U``,
        ``noise = mean(l_{K+1} ... l_D)`` and ``W = U_K (L_K - noise I)^(1/2)``.

        Args:
            x: (N, D) examples.
            noise: fix the noise instead of learning it; W is then the best for that noise.

        Returns:
            The model itself.
        """
        x = self._data(x)
        if noise is not None and not 0 <= noise < math.inf:
            raise ValueError(f"noise is a variance, 0 or more; it is {noise}")
        values, vectors = np.linalg.eigh(np.cov(x.T, bias=True).reshape(x.shape[1], -1))
        values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]  # largest first
        self.mean = x.mean(0)
        self.noise = max(self.floor, float(values[self.K :].mean()) if noise is None else float(noise))
        self.W = vectors[:, : self.K] * np.sqrt(np.maximum(values[: self.K] - self.noise, 0))  # (D, K)
        return self

    def fit_em(self, x: np.ndarray, *, steps: int = 100, tolerance: float = 0.0, seed: int = 0) -> PPCA:
        """Maximum likelihood by EM, from a random W; stops early when a step gains less than ``tolerance`` nats.

        Each step costs O(N D K), without a covariance matrix of D x D. It climbs to the likelihood of ``fit``; W may be
        any rotation of the W of ``fit``.
        """
        x = self._data(x)
        n, dims = x.shape
        self.mean, d = x.mean(0), x - x.mean(0)
        total = float((d**2).sum())
        self.noise = max(self.floor, total / (n * dims))
        self.W = np.random.default_rng(seed).normal(size=(dims, self.K)) * math.sqrt(self.noise)
        self.history = []
        for _ in range(steps):
            z, covariance = self._posterior(d)  # E-step: (N, K), (K, K)
            second = n * covariance + z.T @ z  # (K, K) sum of E[z z^T]
            cross = d.T @ z  # (D, K)
            self.W = np.linalg.solve(second, cross.T).T  # M-step: least squares on what z is believed to be
            left = total - 2 * float((self.W * cross).sum()) + float((self.W.T @ self.W * second).sum())
            self.noise = max(self.floor, left / (n * dims))
            self.history.append(float(self.log_prob(x).mean()))
            if len(self.history) > 1 and self.history[-1] - self.history[-2] < tolerance:
                break
        return self

    def log_prob(self, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Exact log-density, (B,) nats, by the K x K matrix ``M = W^T W + noise I`` instead of the D x D covariance."""
        self._refuse(labels)
        d = self._examples(x, len(self._fitted().mean)) - self.mean
        M = self._M()
        z = d @ self.W  # (B, K)
        square = ((d**2).sum(1) - (z * np.linalg.solve(M, z.T).T).sum(1)) / self.noise  # Woodbury
        log_det = np.linalg.slogdet(M)[1] + (len(self.mean) - self.K) * math.log(self.noise)
        return -0.5 * (square + log_det + len(self.mean) * math.log(2 * math.pi))

    def encode(self, x: np.ndarray) -> Posterior:
        """The exact posterior ``p(z | x) = N(M^-1 W^T (x - mean), noise M^-1)``, with ``M = W^T W + noise I``."""
        return self._posterior(self._examples(x, len(self._fitted().mean)) - self.mean)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """(B, D) the mean of ``p(x | z)``: ``W z + mean``."""
        self._fitted()
        return self._examples(z, self.K) @ self.W.T + self.mean

    def sample(
        self, n: int, labels: np.ndarray | None = None, *, generator: np.random.Generator | None = None
    ) -> np.ndarray:
        """(n, D) independent samples: a cause, its mean, and noise. (``decode`` of a random z leaves the noise out.)"""
        self._refuse(labels)
        self._fitted()
        rng = generator or np.random.default_rng()
        mean = self.decode(rng.standard_normal((n, self.K)))
        return mean + math.sqrt(self.noise) * rng.standard_normal(mean.shape)

    def parameter_count(self) -> int:
        """Numbers that were fitted: mean, W and noise."""
        return self.mean.size + self.W.size + 1

    def _M(self) -> np.ndarray:
        return self.W.T @ self.W + self.noise * np.eye(self.K)

    def _posterior(self, d: np.ndarray) -> Posterior:
        inverse = np.linalg.inv(self._M())
        return Posterior(d @ self.W @ inverse, self.noise * inverse)

    def _data(self, x: np.ndarray) -> np.ndarray:
        x = self._examples(x)
        if self.K >= x.shape[1]:
            raise ValueError(f"{self.K} hidden dimensions leave no noise in {x.shape[1]}; choose K below {x.shape[1]}")
        if len(x) < 2:
            raise ValueError(f"a covariance needs two examples or more; there are {len(x)}")
        return x

    def _fitted(self) -> PPCA:
        if "W" not in self.__dict__:
            raise ValueError("this PPCA has not been fitted; call fit(x) or fit_em(x) first")
        return self

    @staticmethod
    def _examples(x: np.ndarray, dims: int | None = None) -> np.ndarray:
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2 or (dims is not None and x.shape[1] != dims):
            raise ValueError(f"PPCA takes shape (B, {dims or 'D'}); this has shape {x.shape}. Flatten images first")
        if not np.isfinite(x).all():
            raise ValueError(f"values must be finite; this holds {x[~np.isfinite(x)][0]}")
        if np.abs(x).max(initial=0) > 1e100:  # squares would overflow
            raise ValueError(
                f"a number is as large as {np.abs(x).max():.1e}; choose a larger unit, so that squares fit"
            )
        return x
