"""Entropy, divergences and mutual information of arrays of probabilities. Nats, unless ``base=2`` says bits."""

from genutils.information.discrete import (
    Estimate,
    conditional_entropy,
    cross_entropy,
    entropy,
    joint_entropy,
    js,
    kl,
    kl_monte_carlo,
    mutual_information,
    plug_in_entropy,
    surprisal,
)
from genutils.information.gaussian import (
    gaussian_cross_entropy,
    gaussian_cross_entropy_full,
    gaussian_entropy,
    gaussian_kl,
    gaussian_kl_full,
)

__all__ = [
    "Estimate", "conditional_entropy", "cross_entropy", "entropy", "gaussian_cross_entropy",
    "gaussian_cross_entropy_full", "gaussian_entropy", "gaussian_kl", "gaussian_kl_full", "joint_entropy", "js", "kl",
    "kl_monte_carlo", "mutual_information", "plug_in_entropy", "surprisal",
]  # fmt: skip
