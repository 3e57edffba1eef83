"""The live figure of lesson 03 takes the steps of EM that Python takes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from genutils.figures.lesson_03 import STARTS, STEPS, em_script, em_steps
from genutils.live import Choice, Slider


def clouds():
    rng = np.random.default_rng(1)
    centres = np.repeat([[0.0, 0.0], [3.0, 1.0], [0.5, 3.4]], [40, 30, 20], axis=0)
    return np.round(centres + rng.normal(size=(90, 2)) @ [[0.9, 0.2], [0.0, 0.6]], 4)


def em(x, start, steps):
    """Log-likelihood per point after so many steps, the one before, and the weights; scipy's Gaussians."""
    weights, means, covs, history = np.full(3, 1 / 3), np.array(start), np.stack([np.eye(2)] * 3), [np.nan]
    for step in range(steps + 1):
        parts = [stats.multivariate_normal(m, c).logpdf(x) for m, c in zip(means, covs, strict=True)]
        joint = np.log(weights) + np.stack(parts, axis=1)
        history.append(logsumexp(joint, axis=1).mean())
        if step == steps:
            return history[-1], history[-2], weights
        r = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        weights, means = r.mean(0), (r.T @ x) / r.sum(0)[:, None]
        covs = np.stack([np.cov(x.T, aweights=r[:, k], bias=True) for k in range(3)])


@pytest.fixture
def page(live_page):
    controls = (Slider("step", "step", 0, STEPS, 0, 1), Choice("start", "start", list(STARTS), "far apart"))
    return live_page(controls, em_script(clouds(), -3.0))


@pytest.mark.browser
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("steps", [0, 1, 7, STEPS])
def test_numbers_agree_with_python(page, start, steps):
    page.put(start=start, step=steps)
    found = page.numbers()
    now, before, weights = em(clouds(), STARTS[start], steps)
    assert found["log-likelihood"] == pytest.approx(now, abs=1e-8)
    assert found["this step gained"] == pytest.approx(now - before if steps else 0, abs=1e-8)
    assert [found[f"weight {k}"] for k in (1, 2, 3)] == pytest.approx(weights, abs=1e-7)


def test_shows_outside_a_notebook(capsys):
    em_steps(clouds(), -3.0)
    assert "slider" in capsys.readouterr().out
