"""The identities of information theory, on any input that hypothesis can think of."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from genutils.information import (
    conditional_entropy,
    cross_entropy,
    entropy,
    gaussian_cross_entropy,
    gaussian_cross_entropy_full,
    gaussian_entropy,
    gaussian_kl,
    gaussian_kl_full,
    joint_entropy,
    js,
    kl,
    kl_monte_carlo,
    mutual_information,
    plug_in_entropy,
    surprisal,
)

settings.register_profile("course", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("course")

LOG_2 = math.log(2)
weights = st.floats(0, 1e6, allow_subnormal=False)


def distributions(shape):
    """Probabilities with zeros and very small values among them; the last ``len(axes)`` axes sum to one."""
    axes = tuple(range(-len(shape), 0))
    raw = hnp.arrays(np.float64, shape, elements=weights).filter(lambda w: w.sum() > 1e-3)
    return raw.map(lambda w: w / w.sum(axes))


pairs = st.integers(1, 7).flatmap(lambda k: st.tuples(distributions((k,)), distributions((k,))))
joints = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(distributions)


class TestIdentities:
    @given(pairs)
    def test_entropy_agrees_with_scipy_and_lies_in_its_bounds(self, pq):
        p = pq[0]
        h = entropy(p)
        assert math.isclose(h, stats.entropy(p), abs_tol=1e-12)
        assert 0 <= h <= math.log(len(p)) + 1e-12
        assert math.isclose(entropy(p, base=2), h / math.log(2), abs_tol=1e-12)

    @given(pairs)
    def test_cross_entropy_is_entropy_plus_kl(self, pq):
        p, q = pq
        total, parts = cross_entropy(p, q), entropy(p) + kl(p, q)
        assert total == parts == math.inf or math.isclose(total, parts, rel_tol=1e-9, abs_tol=1e-9)

    @given(pairs)
    def test_kl_is_never_negative_and_agrees_with_scipy(self, pq):
        p, q = pq
        d, other = kl(p, q), stats.entropy(p, q)
        assert d >= 0 and (d == other or math.isclose(d, other, rel_tol=1e-7, abs_tol=1e-10))
        assert kl(p, p) == 0

    @given(pairs)
    def test_kl_is_infinite_exactly_on_missing_support(self, pq):
        p, q = pq
        assert math.isinf(kl(p, q)) == bool(((p > 0) & (q == 0)).any())

    @given(pairs)
    def test_kl_is_zero_only_for_equals(self, pq):
        p, q = pq
        assert kl(p, q) >= 0.5 * np.abs(p - q).sum() ** 2 - 1e-9  # Pinsker's inequality

    @given(pairs)
    def test_js_is_symmetric_and_at_most_one_bit(self, pq):
        p, q = pq
        d = js(p, q, base=2)
        assert 0 <= d <= 1 + 1e-12 and math.isclose(d, js(q, p, base=2), abs_tol=1e-12)
        m = (p + q) / 2
        assert math.isclose(js(p, q), entropy(m) - (entropy(p) + entropy(q)) / 2, abs_tol=1e-9)

    @given(pairs, st.randoms())
    def test_names_of_outcomes_do_not_matter(self, pq, random):
        order = list(range(len(pq[0])))
        random.shuffle(order)
        p, q = pq[0], pq[1]
        assert math.isclose(entropy(p[order]), entropy(p), abs_tol=1e-12)
        assert kl(p[order], q[order]) == kl(p, q) or math.isclose(kl(p[order], q[order]), kl(p, q), rel_tol=1e-9)

    @given(pairs)
    def test_merging_outcomes_loses_divergence(self, pq):
        p, q = pq
        assume(len(p) > 1)
        merge = lambda w: np.append(w[:-2], w[-2] + w[-1])  # noqa: E731
        assert kl(merge(p), merge(q)) <= kl(p, q) + 1e-9

    @given(joints)
    def test_chain_rule(self, joint):
        hx, hy, hxy = entropy(joint.sum(1)), entropy(joint.sum(0)), joint_entropy(joint)
        assert math.isclose(hx + conditional_entropy(joint), hxy, abs_tol=1e-9)
        assert math.isclose(hy + conditional_entropy(joint, given="y"), hxy, abs_tol=1e-9)

    @given(joints)
    def test_mutual_information_three_ways(self, joint):
        hx, hy, hxy = entropy(joint.sum(1)), entropy(joint.sum(0)), joint_entropy(joint)
        i = mutual_information(joint)
        assert math.isclose(i, hx + hy - hxy, abs_tol=1e-9) and 0 <= i <= min(hx, hy) + 1e-9
        assert math.isclose(i, mutual_information(joint.T), abs_tol=1e-9)

    @given(st.integers(1, 4).flatmap(lambda k: st.tuples(distributions((k,)), distributions((k + 1,)))))
    def test_independent_parts_know_nothing(self, pq):
        joint = np.outer(*pq)
        joint /= joint.sum()
        assert mutual_information(joint) < 1e-9

    @given(distributions((6,)))
    def test_surprisal_averages_to_entropy(self, p):
        some = p > 0
        assert math.isclose(p[some] @ surprisal(p[some]), entropy(p), abs_tol=1e-12)


def test_leading_axes_are_a_batch():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(4), size=(3, 2)), rng.dirichlet(np.ones(4), size=2)
    assert entropy(p).shape == (3, 2) and kl(p, q).shape == cross_entropy(p, q).shape == js(p, q).shape == (3, 2)
    assert np.isclose(kl(p, q)[2, 1], kl(p[2, 1], q[1]))
    joint = rng.dirichlet(np.ones(12), size=5).reshape(5, 3, 4)
    for f in (mutual_information, joint_entropy, conditional_entropy):
        assert f(joint).shape == (5,) and np.isclose(f(joint)[3], f(joint[3]))


def test_outcomes_may_lie_along_any_axis():
    p, q = np.random.default_rng(4).dirichlet(np.ones(3), size=(2, 5))
    assert np.array_equal(entropy(p.T, axis=0), entropy(p))
    for f in (cross_entropy, kl, js):
        assert f(p.T, q.T, axis=0).shape == (5,) and np.allclose(f(p.T, q.T, axis=0), f(p, q), rtol=1e-12)
    with pytest.raises(ValueError, match="sums to"):
        entropy(p.T)  # the wrong axis does not pass for a distribution


def test_values_known_in_closed_form():
    p, q = [0.5, 0.5], [0.25, 0.75]
    assert math.isclose(kl(p, q), math.log(4 / 3) / 2) and math.isclose(kl(q, p), 0.75 * math.log(3) - math.log(2))
    assert math.isclose(cross_entropy(p, q, base=2), 1 + math.log2(4 / 3) / 2)
    joint = [[0.5, 0.0], [0.25, 0.25]]
    assert math.isclose(conditional_entropy(joint, given="x", base=2), 0.5)
    assert math.isclose(conditional_entropy(joint, given="y", base=2), 0.75 * math.log2(3) - 0.5)
    assert math.isclose(mutual_information(joint, base=2), 1.5 - 0.75 * math.log2(3))


def test_certainty_costs_nothing_and_not_minus_nothing():
    for h in (entropy([1.0, 0.0]), cross_entropy([1.0, 0.0], [1.0, 0.0]), surprisal(1.0), kl([1.0, 0.0], [1.0, 0.0])):
        assert h == 0 and math.copysign(1, h) == 1


class TestTheSmallestNumbers:
    """Where a product or a half rounds to zero, a finite divergence must not become infinite."""

    def test_mutual_information_of_a_cell_whose_marginals_multiply_to_zero(self):
        tiny = 1e-200
        assert math.isclose(mutual_information([[1 - tiny, 0], [0, tiny]]), tiny * (1 - math.log(tiny)), rel_tol=1e-2)

    def test_js_of_a_probability_that_cannot_be_halved(self):
        assert js([1.0, 5e-324], [1.0, 0.0]) < 1e-300

    def test_kl_of_a_subnormal_probability(self):
        assert 0 <= kl([1.0, 5e-324], [1.0, 1e-300]) < 1e-299
        assert kl([1.0, 5e-324], [1.0, 0.0]) == math.inf

    def test_gaussian_kl_of_nearly_equal_and_of_very_unequal_widths(self):
        assert math.isclose(gaussian_kl(0, 1 + 1e-9, 0, 1), 1e-18, rel_tol=1e-5)
        assert gaussian_kl(0, 1e200, 0, 1e-5) == math.inf  # too large for a float, without a warning


def test_tiny_differences_are_not_lost_to_rounding():
    rng = np.random.default_rng(0)
    p, d = rng.dirichlet(np.ones(6)), rng.normal(size=6)
    q = p + 1e-7 * p.min() * (d - d.mean())
    t = (q - p) / p
    assert math.isclose(kl(p, q), p @ (t**2 / 2 - t**3 / 3), rel_tol=1e-5)  # p log(p/q) = -p log(1 + t), as a series


@pytest.mark.parametrize(
    "bad, words",
    [
        ([0.5, -0.5, 1.0], r"p\[1\] = -0\.5 is not a probability"),
        ([0.5, float("nan")], r"p\[1\] = nan is not a probability"),
        ([0.5, float("inf")], r"p\[1\] = inf"),
        ([0.6, 0.6], r"^p sums to 1\.2.*divide them by their sum"),
        ([], "something in them"),
        (["a"], "array of probabilities"),
    ],
)
def test_bad_input_is_named_with_the_remedy(bad, words):
    for call in (lambda: entropy(bad), lambda: kl(bad, [0.5, 0.5]), lambda: js(bad, bad)):
        with pytest.raises(ValueError, match=words):
            call()


def test_more_bad_input():
    with pytest.raises(ValueError, match="p has 2 outcomes and q has 3"):
        kl([0.5, 0.5], [0.2, 0.3, 0.5])
    with pytest.raises(ValueError, match="cannot be compared"):
        kl(np.full((2, 2), 0.5), np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match="base must be a number above 1"):
        entropy([1.0], base=1)
    with pytest.raises(ValueError, match="given is 'x'"):
        conditional_entropy([[1.0]], given="z")
    with pytest.raises(ValueError, match="2 axes"):
        mutual_information([0.5, 0.5])
    with pytest.raises(ValueError, match=r"1\.5 is not a probability"):
        surprisal([0.5, 1.5])
    with pytest.raises(ValueError, match=r"p\[1, 0\] = nan is not a probability"):
        surprisal([[0.5, 0.5], [math.nan, 0.5]])
    with pytest.raises(ValueError, match=r"counts\[1\] = -1\.0 is no count"):
        plug_in_entropy([3, -1])
    with pytest.raises(ValueError, match="along its last axis"):
        plug_in_entropy(3)
    with pytest.raises(ValueError, match="nothing was observed"):
        plug_in_entropy([0, 0])


@pytest.mark.parametrize("base", [0.5, 0, -2, math.nan, math.inf, "2"])
def test_a_base_that_is_none_is_named(base):
    with pytest.raises(ValueError, match=f"base must be a number above 1; it is {base!r}"):
        kl([0.5, 0.5], [0.5, 0.5], base=base)


def test_the_row_that_does_not_sum_to_one_is_named():
    p = np.full((2, 3, 2), 0.5)
    p[1, 2] = 0.6
    with pytest.raises(ValueError, match=r"p\[1, 2, :\] sums to 1\.2"):
        entropy(p)
    with pytest.raises(ValueError, match=r"q\[:, 2\] sums to 1\.2"):
        kl(np.full((2, 3), 0.5), p[1].T, axis=0)
    with pytest.raises(ValueError, match=r"joint\[1, :, :\] sums to 3\.2"):
        mutual_information(p / np.array([3.0, 1.0])[:, None, None])


class TestPlugIn:
    def test_bias_is_what_miller_says(self):
        rng = np.random.default_rng(1)
        k, n = 16, 100
        draws = rng.multinomial(n, np.full(k, 1 / k), size=4000)
        naive, better = plug_in_entropy(draws), plug_in_entropy(draws, correct=True)
        error = naive.std() / math.sqrt(len(draws))
        assert abs(naive.mean() - (math.log(k) - (k - 1) / (2 * n))) < 0.002 + 4 * error
        assert abs(better.mean() - math.log(k)) < 0.1 * abs(naive.mean() - math.log(k))

    def test_the_correction_counts_the_symbols_seen(self):
        assert math.isclose(plug_in_entropy([2, 2, 0], correct=True), math.log(2) + 1 / 8)
        assert math.isclose(plug_in_entropy([2, 2, 0], correct=True, base=2), 1 + 1 / (8 * math.log(2)))

    def test_scale_of_counts_is_no_matter_without_the_correction(self):
        assert np.isclose(plug_in_entropy([1, 2, 3]), plug_in_entropy([10, 20, 30]))


means, sigmas = st.floats(-5, 5), st.floats(0.05, 8)


class TestGaussians:
    @pytest.mark.filterwarnings("error")
    def test_widths_that_differ_by_more_than_a_float_can_tell(self):
        assert math.isclose(gaussian_kl(0, 1e-30, 0, 1), -math.log(1e-30) - 0.5)
        assert gaussian_kl(0, 1e200, 0, 1e-200) == math.inf

    @given(means, sigmas, means, sigmas)
    def test_kl_agrees_with_torch(self, a, s, b, t):
        want = torch.distributions.kl_divergence(
            torch.distributions.Normal(torch.tensor(a, dtype=torch.float64), torch.tensor(s, dtype=torch.float64)),
            torch.distributions.Normal(torch.tensor(b, dtype=torch.float64), torch.tensor(t, dtype=torch.float64)),
        )
        assert math.isclose(gaussian_kl(a, s, b, t), float(want), rel_tol=1e-7, abs_tol=1e-9)

    @pytest.mark.parametrize("a, s, b, t", [(0.0, 1.0, 1.0, 2.0), (-1.0, 0.3, 0.5, 0.6)])
    def test_all_agree_with_quadrature(self, a, s, b, t):
        p, q = stats.norm(a, s), stats.norm(b, t)
        integral = lambda f: integrate.quad(lambda x: p.pdf(x) * f(x), a - 12 * s, a + 12 * s, limit=200)[0]  # noqa: E731
        assert math.isclose(gaussian_entropy(s), integral(lambda x: -p.logpdf(x)), rel_tol=1e-7)
        assert math.isclose(gaussian_cross_entropy(a, s, b, t), integral(lambda x: -q.logpdf(x)), rel_tol=1e-7)
        assert math.isclose(gaussian_kl(a, s, b, t), integral(lambda x: p.logpdf(x) - q.logpdf(x)), rel_tol=1e-7)

    def test_full_covariances_agree_with_torch(self):
        rng = np.random.default_rng(2)
        a, b = (m @ m.T + 0.1 * np.eye(3) for m in rng.normal(size=(2, 3, 3)))
        mu, nu = rng.normal(size=(2, 3))
        p, q = (torch.distributions.MultivariateNormal(torch.tensor(m), torch.tensor(c)) for m, c in ((mu, a), (nu, b)))
        assert math.isclose(
            gaussian_kl_full(mu, a, nu, b), float(torch.distributions.kl_divergence(p, q)), rel_tol=1e-9
        )
        assert math.isclose(gaussian_entropy(cov=a), float(p.entropy()), rel_tol=1e-9)

    def test_full_cross_entropy_is_what_samples_pay(self):
        cov_p, cov_q = np.array([[1.0, 0.6], [0.6, 0.5]]), np.array([[0.8, -0.2], [-0.2, 1.1]])
        x = np.random.default_rng(5).multivariate_normal([0.3, -1], cov_p, size=20_000)
        paid = -stats.multivariate_normal([0, 0], cov_q).logpdf(x)
        want = gaussian_cross_entropy_full([0.3, -1], cov_p, [0, 0], cov_q)
        assert abs(paid.mean() - want) < 4 * paid.std() / math.sqrt(len(x))
        assert math.isclose(gaussian_cross_entropy_full([0, 0], cov_p, [0, 0], cov_p), gaussian_entropy(cov=cov_p))

    @given(means, sigmas, means, sigmas)
    def test_one_dimension_is_a_special_case_of_many(self, a, s, b, t):
        full = gaussian_cross_entropy_full([a], [[s**2]], [b], [[t**2]])
        assert math.isclose(full, gaussian_cross_entropy(a, s, b, t), rel_tol=1e-9, abs_tol=1e-9)

    def test_bits(self):
        assert math.isclose(gaussian_kl(1, 1, 0, 1, base=2), 0.5 / math.log(2))
        assert math.isclose(gaussian_entropy(1.0, base=2), math.log2(2 * math.pi * math.e) / 2)
        assert math.isclose(
            gaussian_cross_entropy(1, 1, 0, 1, base=2), gaussian_cross_entropy(1, 1, 0, 1) / math.log(2)
        )
        bits = gaussian_cross_entropy_full([1], [[1.0]], [0], [[1.0]], base=2)
        assert math.isclose(bits, gaussian_cross_entropy(1, 1, 0, 1, base=2))

    def test_a_diagonal_gaussian_is_the_sum_over_dimensions(self):
        s, t, m = np.array([0.5, 2.0]), np.array([1.0, 1.5]), np.array([0.3, -1.0])
        assert math.isclose(gaussian_kl(m, s, 0, t).sum(), gaussian_kl_full(m, np.diag(s**2), [0, 0], np.diag(t**2)))

    @given(sigmas, st.floats(0.1, 10))
    def test_entropy_moves_with_the_unit(self, s, a):
        assert math.isclose(gaussian_entropy(a * s), gaussian_entropy(s) + math.log(a), abs_tol=1e-9)

    def test_entropy_may_be_negative(self):
        assert gaussian_entropy(0.1) < 0

    def test_bad_gaussians_are_named(self):
        with pytest.raises(ValueError, match=r"sigma_q = -1\.0 is not a standard deviation"):
            gaussian_kl(0, 1, 0, -1)
        with pytest.raises(ValueError, match=r"mu_p\[1\] = nan is not a mean"):
            gaussian_kl([0, math.nan], 1, 0, 1)
        with pytest.raises(ValueError, match=r"shape is \(2,\)"):
            gaussian_entropy(cov=[1.0, 2.0])
        with pytest.raises(ValueError, match=r"cov\[1, 0\] = nan is not finite"):
            gaussian_entropy(cov=[[1.0, 0.0], [math.nan, 1.0]])
        with pytest.raises(ValueError, match=r"not symmetric: cov\[0, 1\] = 5e-10 and cov\[1, 0\] = 0\.0"):
            gaussian_entropy(cov=[[1e-9, 5e-10], [0.0, 1e-9]])
        with pytest.raises(ValueError, match="smallest eigenvalue"):
            gaussian_entropy(cov=[[1.0, 2.0], [2.0, 1.0]])
        with pytest.raises(ValueError, match="either sigma"):
            gaussian_entropy()
        with pytest.raises(ValueError, match="dimensions differ"):
            gaussian_kl_full([0], np.eye(2), [0, 0], np.eye(2))


class TestMonteCarlo:
    def estimates(self, estimator, mu=0.3, n=1000, repeats=400):
        x = np.random.default_rng(3).normal(size=(repeats, n))
        log_p, log_q = stats.norm(0, 1).logpdf(x), stats.norm(mu, 1).logpdf(x)
        return [kl_monte_carlo(a, b, estimator=estimator) for a, b in zip(log_p, log_q, strict=True)], mu**2 / 2

    @pytest.mark.parametrize("estimator", ["k1", "k3"])
    def test_unbiased_within_the_error_of_the_mean(self, estimator):
        found, truth = self.estimates(estimator)
        values = np.array([e.value for e in found])
        assert abs(values.mean() - truth) < 4 * values.std() / math.sqrt(len(values))

    @pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
    def test_standard_error_is_the_spread_over_repeats(self, estimator):
        found, _ = self.estimates(estimator)
        spread = np.std([e.value for e in found])
        assert 0.9 < np.mean([e.stderr for e in found]) / spread < 1.1

    def test_k2_is_biased_and_k3_has_less_variance_than_k1(self):
        found, truth = self.estimates("k2")
        values = np.array([e.value for e in found])
        assert abs(values.mean() - truth) > 4 * values.std() / math.sqrt(len(values))
        assert 4 * np.std([e.value for e in self.estimates("k3")[0]]) < np.std(
            [e.value for e in self.estimates("k1")[0]]
        )

    def test_k3_is_never_negative(self):
        found, _ = self.estimates("k3", n=5)
        assert min(e.value for e in found) >= 0 > min(e.value for e in self.estimates("k1", n=5)[0])

    def test_k3_misses_the_mass_of_q_where_p_has_none(self):
        log_p, log_q = np.zeros(5), np.full(5, -LOG_2)  # p = (1, 0), q = (1/2, 1/2), samples of p
        assert kl_monte_carlo(log_p, log_q, estimator="k1").value == pytest.approx(LOG_2)
        assert kl_monte_carlo(log_p, log_q, estimator="k3").value == pytest.approx(LOG_2 - 0.5)

    def test_missing_support_gives_infinity_with_k1(self):
        assert kl_monte_carlo([0.0, 0.0], [-math.inf, 0.0]).value == math.inf

    @pytest.mark.parametrize("estimator, want", [("k1", LOG_2 / 2), ("k2", LOG_2**2 / 4), ("k3", (LOG_2 - 0.5) / 2)])
    def test_each_formula(self, estimator, want):
        # r = q/p is 1/2 at one sample and 1 at the other: -log r, (log r)^2 / 2 and (r - 1) - log r, averaged
        e = kl_monte_carlo([0.0, 0.0], [-LOG_2, 0.0], estimator=estimator)
        assert math.isclose(e.value, want) and math.isclose(e.stderr, want)  # two samples, one of them 0
        bits = kl_monte_carlo([0.0, 0.0], [-LOG_2, 0.0], estimator=estimator, base=2)
        assert math.isclose(bits.value, want / LOG_2) and math.isclose(bits.stderr, want / LOG_2)

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match=r"log_q\[0\] = nan is not the log of a density"):
            kl_monte_carlo([0.0, 0.0], [math.nan, 0.0])
        with pytest.raises(ValueError, match="no estimator 'k9'"):
            kl_monte_carlo([0.0, 0.0], [0.0, 0.0], estimator="k9")
        with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
            kl_monte_carlo([0.0, 0.0], [0.0, 0.0, 0.0])
        with pytest.raises(ValueError, match=r"log_p\[1\] = -inf is not finite.*neither 0 nor infinite"):
            kl_monte_carlo([0.0, -math.inf], [0.0, 0.0])


class TestSumsOfFloat32:
    @pytest.mark.parametrize("outcomes", [1000, 50_257, 100_000, 1_000_000])
    def test_a_softmax_over_a_vocabulary_is_a_distribution(self, outcomes):
        logits = torch.randn(outcomes, generator=torch.Generator().manual_seed(2)) * 5
        p, exact = logits.softmax(-1), logits.double().softmax(-1).numpy()
        off = float(p.double().sum()) - 1
        for q in (p, p.numpy(), p.tolist(), (p * (1 + 5e-6)).numpy()):
            assert float(entropy(q)) == pytest.approx(float(entropy(exact)), abs=1e-5), off
        assert float(kl(p.numpy(), exact)) == pytest.approx(0, abs=1e-6)
        assert float(js(exact, p.numpy())) == pytest.approx(0, abs=1e-6)

    def test_half_precision_and_tables_too(self):
        p = torch.randn(300, generator=torch.Generator().manual_seed(0)).softmax(-1)
        assert float(entropy(p.half().numpy())) == pytest.approx(float(entropy(p)), abs=1e-3)
        table = np.outer(p.numpy(), p.numpy())  # float32
        assert float(joint_entropy(table)) == pytest.approx(2 * float(entropy(p)), abs=1e-4)
        assert float(mutual_information(table)) == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize("outcomes, factor", [(2, 1 + 2e-5), (1000, 0.9999), (100_000, 1.001)])
    def test_what_is_no_rounding_is_refused(self, outcomes, factor):
        with pytest.raises(ValueError, match="not to 1; if these are counts, divide them by their sum"):
            entropy(np.full(outcomes, factor / outcomes))

    def test_what_is_off_is_divided_out_and_what_is_not_stays(self):
        p = np.array([0.25, 0.75])
        assert float(entropy(p * (1 + 5e-6))) == pytest.approx(float(entropy(p)), rel=1e-12)
        assert float(entropy([0.5, 0.25, 0.25], base=2)) == 1.5


def test_a_deviation_far_below_another_brings_no_warning(recwarn):
    for small, large in ((1e-200, 1.0), (1.0, 1e200), (1.0, 1e-200)):
        assert gaussian_kl(0, small, 0, large) > 0
    assert not recwarn.list


def test_a_sum_that_is_off_is_named_with_its_place():
    with pytest.raises(ValueError, match=r"^p\[1, :\] sums to 0\.9, not to 1"):
        entropy([[0.5, 0.5], [0.5, 0.4]])
    with pytest.raises(ValueError, match=r"^p\[:, 1\] sums to 0\.9, not to 1"):
        entropy([[0.5, 0.5], [0.5, 0.4]], axis=0)
    with pytest.raises(ValueError, match=r"^joint\[1, :, :\] sums to 0\.5, not to 1"):
        joint_entropy([[[0.5, 0.5]], [[0.5, 0.0]]])
    with pytest.raises(ValueError, match=r"^p sums to 0\.9, not to 1"):
        entropy([0.5, 0.4])
