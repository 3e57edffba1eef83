"""Whatever a model is asked with: narrow integers, NaN, another dtype, nobody at all.

Every model answers alike, or says in words what is wrong; a model of the package that has no entry here is noticed.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn
from torch.distributions import Independent, Normal

import genutils
from genutils import densities
from genutils.autoregressive import MADE, PixelNet
from genutils.baselines import _ByClass
from genutils.classifiers import GaussianClassifier
from genutils.convolutional import ImageDecoder, ImageDenoiser, ImageEncoder, ImageSampler
from genutils.diffusion import Diffusion, LevelDiffusion
from genutils.flow import Coupling, Flow, Lookup, shuffled_couplings
from genutils.gan import GAN, play
from genutils.kinds import Kind
from genutils.mixture import CategoricalMixture, GaussianMixture
from genutils.model import Dequantized, Model, as_array, dequantize, evaluate, kind, quantize
from genutils.neighbours import Neighbours
from genutils.ngram import NGram
from genutils.nonparametric import KDE, Frequencies, Histogram
from genutils.pixelcnn import PixelCNN
from genutils.pixelflow import pixel_flow
from genutils.planar import NearPoint, PlaneNet, PointDenoiser
from genutils.ppca import PPCA
from genutils.strings import Strings
from genutils.tasks import task
from genutils.training import cost, fit
from genutils.transformer import Transformer
from genutils.vae import VAE, Gaussian, Levels
from genutils.wavenet import WaveNet

RNG = np.random.default_rng(0)
ROWS = RNG.integers(0, 17, (40, 4))  # whole numbers; 0 and 16 are among them
IMAGES = RNG.integers(0, 17, (6, 8, 8))
IMAGES[0], IMAGES[1] = 0, 16
REAL = RNG.normal(size=(40, 4))
POINTS = RNG.normal(size=(12, 2))


def splines() -> Flow:
    pair = [Coupling([0], [1], Lookup(7)), Coupling([1], [0], Lookup(7))]
    return Flow(2, pair, low=-4, high=4)


def points_vae() -> VAE:
    return VAE(2, Gaussian(NearPoint(0.5)), Gaussian(NearPoint(0.5)), splines())


def image_vae() -> VAE:
    return VAE(3, Gaussian(ImageEncoder(3, 4)), Levels(ImageDecoder(3, 4)))


#: By class: how to make it, and examples that it takes. Whole numbers come as integers, real ones as floats.
MODELS = {
    Histogram: (lambda: Histogram(((-6, 6),) * 4, bins=4, smoothing=0.1).fit(REAL), REAL),
    Frequencies: (lambda: Frequencies(17).fit(ROWS), ROWS),
    KDE: (lambda: KDE(0.5).fit(REAL), REAL),
    GaussianMixture: (lambda: GaussianMixture(2).fit(REAL), REAL),
    CategoricalMixture: (lambda: CategoricalMixture(2, 17).fit(ROWS), ROWS),
    PPCA: (lambda: PPCA(2).fit(REAL), REAL),
    GaussianClassifier: (lambda: GaussianClassifier().fit(REAL, np.arange(40) % 2), REAL),
    _ByClass: (lambda: _ByClass(task("digits")), IMAGES.reshape(6, 64)),
    Strings: (lambda: Strings(delays=(1, 2), levels=17, loudness=(1.0,), noise=0.3, length=4), ROWS),
    WaveNet: (lambda: WaveNet(levels=17, classes=2, layers=2, channels=4, features=4, length=4), ROWS),
    NGram: (lambda: NGram(ROWS.ravel(), symbols=17, context=2, length=4), ROWS),
    Flow: (splines, POINTS),
    PlaneNet: (lambda: PlaneNet(((-4, 4), (-4, 4)), knots=16, width=8), POINTS),
    VAE: (points_vae, POINTS),
    Diffusion: (lambda: Diffusion(PointDenoiser(width=8, blocks=1), (2,)), POINTS),
    MADE: (lambda: MADE(4, levels=17, hidden=(8,)), ROWS),
    PixelNet: (lambda: PixelNet(classes=2, width=8, blocks=1), IMAGES),
    PixelCNN: (lambda: PixelCNN(classes=2, width=4, layers=1), IMAGES),
    Neighbours: (lambda: Neighbours(4), IMAGES),
    Transformer: (lambda: Transformer(levels=17, dims=(8, 8), classes=2, width=8, layers=1, heads=2), IMAGES),
    LevelDiffusion: (lambda: LevelDiffusion(ImageDenoiser(4, 1, classes=0), (8, 8), 17), IMAGES),
    Dequantized: (lambda: Dequantized(shuffled_couplings(4, 2, 8), 17), ROWS),
    type(pixel_flow(width=4, blocks=1)): (lambda: pixel_flow(width=4, blocks=1), IMAGES),
    GAN: (lambda: GAN(ImageSampler(4, width=4), 4, levels=17).eval(), IMAGES),
}
MORE = {"affine couplings": (lambda: shuffled_couplings(4, 2, 8), REAL), "VAE of images": (image_vae, IMAGES)}
CASES = {kind.__name__: case for kind, case in MODELS.items()} | MORE
#: Kinds of models that are made concrete by others.
ABSTRACT = {"Model", "Mixture"}

ANSWERING = sorted(CASES.keys() - {"GAN"})
WHOLE = sorted(name for name, (_, x) in CASES.items() if x.dtype.kind == "i" and name != "GAN")
CONTINUOUS = sorted(name for name, (_, x) in CASES.items() if x.dtype.kind == "f")


def made(name: str):
    torch.manual_seed(0)
    return CASES[name][0]()


def of_torch(name: str) -> bool:
    return isinstance(made(name), nn.Module) or name == "Dequantized"


NEURAL = sorted(filter(of_torch, CASES))


def given_as(name: str, dtype: str | None = None, rows=None):
    """Examples as a model takes them, and of the dtype that is asked for."""
    x = CASES[name][1] if rows is None else rows
    x = x if dtype is None else x.astype(dtype)
    if not of_torch(name):
        return x
    x = torch.as_tensor(np.ascontiguousarray(x))
    return x.float() if dtype is None and x.is_floating_point() else x


def asked(name: str, x, model=None) -> np.ndarray:
    """The model's answer about x, with the same noise each time."""
    model = made(name) if model is None else model
    told = {}
    if (answer := kind(model)) is not Kind.EXACT:
        told["generator"] = torch.Generator().manual_seed(0)
    return as_array(getattr(model, answer.method)(x, **told))


def subclasses(base: type) -> set[type]:
    return {base}.union(*map(subclasses, base.__subclasses__()))


def modules():
    for module in pkgutil.walk_packages(genutils.__path__, "genutils."):
        yield importlib.import_module(module.name)


def test_every_model_of_the_package_has_an_entry():
    list(modules())
    found = {c for c in subclasses(Model) if c.__module__.startswith("genutils.") and not inspect.isabstract(c)}
    missing = {c.__name__ for c in found} - set(CASES) - ABSTRACT
    assert not missing, f"these models need an entry in MODELS: {missing}"


@pytest.mark.parametrize("name", ANSWERING)
def test_no_examples_get_no_answers_and_none_are_made(name):
    found = asked(name, given_as(name)[:0])
    assert found.shape == (0,)


@pytest.mark.parametrize("name", CASES)
def test_no_samples_are_of_the_right_shape(name):
    made_none, made_one = made(name).sample(0), made(name).sample(1)
    assert len(made_none) == 0 and len(made_one) == 1 and made_none.shape[1:] == made_one.shape[1:]


@pytest.mark.parametrize("name", ANSWERING)
def test_one_example_is_a_batch_and_gets_what_it_gets_among_others(name):
    x = given_as(name)
    alone, among = asked(name, x[:1]), asked(name, x)
    assert alone.shape == (1,) and among.shape == (len(x),) and np.isfinite(among).all()
    if kind(made(name)) is Kind.EXACT:
        assert alone[0] == pytest.approx(among[0], rel=1e-4)


@pytest.mark.parametrize("name", ANSWERING)
def test_the_layout_in_memory_says_nothing(name):
    x = given_as(name)
    if isinstance(x, np.ndarray):
        other = np.asfortranarray(np.repeat(x, 2, 0))[::2]
    else:
        other = torch.repeat_interleave(x, 2, 0)[::2].mT.contiguous().mT
    assert asked(name, other) == pytest.approx(asked(name, x), rel=1e-5)


@pytest.mark.parametrize("name", WHOLE)
def test_integers_of_any_width_are_the_same_numbers(name):
    want = asked(name, given_as(name, "int64"))
    dtypes = ["uint8", "int8", "int16", "uint16", "int32", "uint32"]
    for dtype in dtypes:
        assert asked(name, given_as(name, dtype)) == pytest.approx(want, rel=1e-6), dtype


@pytest.mark.parametrize("bad", [-1, 17, 127, -128])
@pytest.mark.parametrize("name", WHOLE)
def test_what_is_no_level_is_refused(name, bad):
    x = CASES[name][1].copy()
    x.flat[5] = bad
    for dtype in ("int8", "int64"):
        with pytest.raises(ValueError, match=r"0 \.\.\. 16\b.*|levels are whole numbers"):
            asked(name, given_as(name, dtype, x))


@pytest.mark.parametrize("bad", [0.5, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", WHOLE)
def test_what_is_no_whole_number_is_refused(name, bad):
    x = CASES[name][1].astype(float)
    x.flat[5] = bad
    with pytest.raises(ValueError, match="whole numbers|must be finite|not finite|example 0 holds"):
        asked(name, given_as(name, "float32", x))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_what_is_no_number_is_refused_with_the_remedy(name, bad):
    x = CASES[name][1].copy()
    x[3, 1] = bad
    if name == "GaussianClassifier" and math.isnan(bad):
        assert np.isfinite(asked(name, x)).all()  # there it means missing
        return
    with pytest.raises(ValueError, match=rf"example 3 holds|{bad}.*[Ll]eave|not finite|must be finite"):
        asked(name, given_as(name, "float32", x))


@pytest.mark.parametrize("name", CONTINUOUS)
def test_data_of_another_precision_is_answered_or_named(name):
    want = asked(name, given_as(name, "float32"))
    try:
        found = asked(name, given_as(name, "float64"))
    except TypeError as error:
        assert of_torch(name) and str(error) == (
            "the data is torch.float64 and the model torch.float32: give data.to(torch.float32)"
        )
    else:
        assert found == pytest.approx(want, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", sorted(set(NEURAL) - {"Dequantized", "PixelFlow", "GAN"}))  # dequantize takes arrays
def test_an_array_in_place_of_a_tensor_is_named(name):
    with pytest.raises((TypeError, ValueError), match=r"takes a tensor, not a ndarray: give torch\.as_tensor"):
        asked(name, np.asarray(CASES[name][1]))


@pytest.mark.parametrize("name", sorted(set(ANSWERING) - {"NGram", "Strings", "WaveNet", "VAE", "VAE of images"}))
def test_examples_of_another_size_are_refused_by_shape(name):
    """A sequence may have any length, and of a VAE its networks decide."""
    x = given_as(name)
    for wrong in (x[:, :1], x[..., :1]):
        if wrong.shape != x.shape:
            with pytest.raises(ValueError, match=r"shape|numbers; these have|\(B, 2\)|images are \(B, 8, 8\)"):
                asked(name, wrong)


@pytest.mark.parametrize("name", NEURAL)
def test_the_model_in_double_precision_answers_and_samples(name):
    model = made(name)
    if name == "Dequantized":
        model.model.double()
    else:
        model.double()
    assert np.isfinite(as_array(model.sample(2, generator=torch.Generator().manual_seed(0)))).all()
    if name in ANSWERING:
        x = given_as(name, "float64" if name in CONTINUOUS else None)
        assert np.isfinite(asked(name, x, model)).all()


@pytest.mark.parametrize("name", NEURAL)
def test_another_default_dtype_changes_no_meaning(name):
    want = asked(name, given_as(name)) if name in ANSWERING else None
    torch.set_default_dtype(torch.float64)
    try:
        model = made(name)
        assert np.isfinite(as_array(model.sample(2, generator=torch.Generator().manual_seed(0)))).all()
        if want is not None:
            found = asked(name, given_as(name, "float64" if name in CONTINUOUS else None), model)
            assert found.shape == want.shape and np.isfinite(found).all()
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", NEURAL)
def test_weights_that_are_no_numbers_make_no_levels(name):
    model = made(name)
    network = model.model if name == "Dequantized" else model
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(math.nan)
    try:
        found = as_array(model.sample(3, generator=torch.Generator().manual_seed(0)))
    except ValueError as error:
        assert "of no use" in str(error)
    else:
        assert name in CONTINUOUS and np.isnan(found).any()
    if name in ANSWERING:
        with pytest.raises(ValueError, match="example 0 gets nan.*weights|of no use"):
            evaluate(model, given_as(name), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", sorted(set(NEURAL) & set(ANSWERING) - {"Dequantized"}))
def test_wrappers_of_torch_hide_nothing(name):
    model, x = made(name).eval(), given_as(name)
    want = evaluate(model, x, generator=torch.Generator().manual_seed(0))
    for wrap in (nn.DataParallel, torch.compile, lambda m: torch.optim.swa_utils.AveragedModel(nn.DataParallel(m))):
        assert evaluate(wrap(model), x, generator=torch.Generator().manual_seed(0)).value == pytest.approx(want.value)
        torch.manual_seed(0)
        plain = cost(model, x)
        torch.manual_seed(0)
        assert cost(wrap(model), x).item() == pytest.approx(plain.item())


def test_a_density_that_is_wrapped_can_be_dequantized():
    model, x = shuffled_couplings(4, 2, 8), torch.as_tensor(ROWS)
    want = Dequantized(model, 17).elbo(x, generator=torch.Generator().manual_seed(0))
    wrapped = Dequantized(nn.DataParallel(model), 17)
    assert torch.equal(wrapped.elbo(x, generator=torch.Generator().manual_seed(0)), want)
    assert wrapped.sample(3).shape == (3, 4)


# shapes that would broadcast ------------------------------------------------------------------------------------------


class Says(nn.Module):
    """A network that gives what a function makes of its input, and has a weight."""

    def __init__(self, what):
        super().__init__()
        self.what, self.w = what, nn.Parameter(torch.zeros(()))

    def forward(self, x, *more, **told):
        return self.what(x + self.w)


def unit(x):
    return Normal(x, torch.ones_like(x))


@pytest.mark.parametrize(
    "encoder, decoder, says",
    [
        (lambda x: Independent(unit(x), 1), unit, r"decoder's log_prob must be one number.*\(2, 2\).*Independent"),
        (unit, lambda z: Independent(unit(z), 1), r"encoder must give one distribution of 2 numbers.*Independent"),
        (
            lambda x: Independent(unit(x), 1),
            lambda z: Independent(unit(z[:, :1]), 1),
            r"shape of x, \(2, 2\).*\(2, 1\)",
        ),
        (lambda x: Independent(unit(x[:1]), 1), lambda z: Independent(unit(z), 1), "for each of 2 examples"),
    ],
    ids=["decoder not Independent", "encoder not Independent", "decoder too narrow", "one code for all"],
)
def test_a_vae_whose_parts_would_broadcast_is_refused(encoder, decoder, says):
    model = VAE(2, Says(encoder), Says(decoder))
    for ask in (model.elbo, model.iwae_bound, model.parts):
        with pytest.raises(
            ValueError,
            match=says if ask != model.iwae_bound else says.replace(r"\(2, 2\)", ".*").replace(r"\(2, 1\)", ".*"),
        ):
            ask(torch.randn(2, 2))


def test_a_prior_that_would_broadcast_is_refused():
    class Prior(nn.Module):
        def log_prob(self, z):
            return -z.square()

    model = VAE(2, Says(lambda x: Independent(unit(x), 1)), Says(lambda z: Independent(unit(z), 1)), Prior())
    with pytest.raises(ValueError, match=r"the prior's log_prob must be one number for each of 2.*\(2, 2\)"):
        model.elbo(torch.randn(2, 2))


@pytest.mark.parametrize(
    "squeeze", [lambda z: z.squeeze(-1), lambda z: z[:1], lambda z: z.sum(), lambda z: z[..., None]]
)
def test_a_diffusion_network_of_another_shape_is_refused(squeeze):
    with pytest.raises(ValueError, match=r"the network puts out must have shape \(5, 1\)"):
        Diffusion(Says(squeeze), (1,)).elbo(torch.randn(5, 1))
    with pytest.raises(ValueError, match=r"the network puts out must have shape \(5, 1, 17\)"):
        LevelDiffusion(Says(squeeze), (1,), 17).elbo(torch.zeros(5, 1, dtype=torch.long))


@pytest.mark.parametrize(
    "network, says",
    [
        (lambda x: x.new_zeros(len(x), 3), r"\(5, 1, 2\); it has \(5, 1, 3\)"),
        (lambda x: x.new_zeros(1, 2), r"\(B, 1 n\); this one gave the shape \(1, 2\)"),
        (lambda x: x.new_zeros(len(x), 0), "gave the shape"),
    ],
)
def test_a_coupling_network_of_another_shape_is_refused(network, says):
    with pytest.raises(ValueError, match=says):
        Flow(2, [Coupling([0], [1], Says(network), kind="affine")]).log_prob(torch.rand(5, 2))


def test_log_scales_and_log_determinants_of_another_shape_are_refused():
    from genutils.flow import Autoregressive

    one = Autoregressive(Says(lambda x: (x[:, :1], x[:, :1])))
    with pytest.raises(ValueError, match=r"log-scales and shifts, each, must have shape \(5, 2\); it has \(5, 1\)"):
        Flow(2, [one], base="normal").log_prob(torch.rand(5, 2))

    class Column(nn.Module):
        def forward(self, x):
            return x, x[:, :1]

    with pytest.raises(ValueError, match=r"log-determinant of the transforms must have shape \(5,\)"):
        Flow(2, [Column()], base="normal").log_prob(torch.rand(5, 2))


class Apart(Model, nn.Module):
    """Forgets to sum."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(()))

    def log_prob(self, x, labels=None):
        return -x.float().square() + self.w


@pytest.mark.parametrize("shape", [(3, 2), (3, 1), (1, 3)])
def test_an_answer_that_is_not_one_number_each_is_refused_wherever_it_is_used(shape):
    x, ring = torch.rand(shape), densities.ring
    says = rf"log_prob.*must be one number for each of {shape[0]} examples.*Sum over"
    for use in (
        lambda: cost(Apart(), x),
        lambda: fit(Apart(), x, steps=1),
        lambda: evaluate(Apart(), x),
        lambda: Dequantized(Apart(), 4).elbo((x * 4).long()),
        lambda: evaluate(Apart(), x, truth=ring),
    ):
        with pytest.raises(ValueError, match=says):
            use()


def test_labels_of_no_class_do_not_mean_the_last_one():
    model, x = PixelNet(classes=2, width=8, blocks=1), torch.as_tensor(IMAGES)
    for labels in (torch.full((6,), -1), torch.full((6,), 2), torch.zeros(1, dtype=torch.long)):
        with pytest.raises(ValueError, match=r"labels are 6 whole numbers 0 \.\.\. 1, one for each image"):
            model.log_prob_given(x, labels)


# a training that fails because of its data --------------------------------------------------------------------------


def test_a_divergence_says_if_the_data_are_to_blame():
    x = torch.zeros(8, 1)
    x[5] = math.nan
    settings = dict(loss=lambda m, b: m(b).square().mean(), steps=3, batch_size=8)
    with pytest.raises(FloatingPointError, match="as the data are no numbers: example . holds nan"):
        fit(nn.Linear(1, 1), x, **settings)
    with pytest.raises(
        FloatingPointError, match="held-out loss is nan, as the data are no numbers: example 5 holds nan"
    ):
        fit(nn.Linear(1, 1), torch.zeros(8, 1), validation=x, **settings)
    with pytest.raises(FloatingPointError, match="(?!.*data are no numbers)the loss is nan"):
        fit(nn.Linear(1, 1), torch.zeros(8, 1), **settings | {"loss": lambda m, b: m(b).mean() * math.nan})
    with pytest.raises(ValueError, match="example . holds nan: leave such examples out"):
        fit(shuffled_couplings(2, 1, 4), torch.full((4, 2), math.nan), steps=1)


def test_weights_of_an_encoder_that_are_no_numbers_are_a_divergence():
    model = points_vae()
    with torch.no_grad():
        next(model.encoder.parameters()).fill_(math.nan)
    with pytest.raises(FloatingPointError, match="the loss is nan"):
        fit(model, torch.rand(8, 2), steps=1)


def test_training_within_no_grad_learns_all_the_same():
    line, x = nn.Linear(1, 1), torch.linspace(-1, 1, 16)[:, None]
    with torch.no_grad():
        fit(line, x, loss=lambda m, b: (m(b) - 3 * b).square().mean(), steps=200, lr=0.1)
    assert line.weight.item() == pytest.approx(3, abs=0.05)


# dequantisation: properties that hold for all inputs ----------------------------------------------------------------

INTEGERS = st.sampled_from(
    ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32"]
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(INTEGERS, st.integers(1, 2**20), st.data())
def test_what_is_dequantized_comes_back_at_every_width(dtype, levels, data):
    most = {"float16": 2048, "float32": 2**20}.get(dtype) or np.iinfo(dtype).max
    levels = min(levels, most + 1) if most < 2**20 else levels
    x = data.draw(
        hnp.arrays(dtype, 8, elements=st.integers(0, min(levels - 1, most)).map(float if "float" in dtype else int))
    )
    x[0], x[1] = 0, min(levels - 1, most)
    y = dequantize(x, levels, generator=np.random.default_rng(0))
    assert (y >= 0).all() and (y < 1).all() and np.array_equal(quantize(y, levels), x.astype(np.int64))
    if dtype != "uint64":
        t = dequantize(torch.as_tensor(x), levels, generator=torch.Generator().manual_seed(0))
        assert 0 <= t.min() and t.max() < 1 and np.array_equal(quantize(t, levels).numpy(), x.astype(np.int64))


def test_white_stays_white():
    for levels, dtype in ((256, np.uint8), (128, np.int8)):
        x = np.arange(levels).astype(dtype)
        assert quantize(dequantize(x, levels), levels).tolist() == list(range(levels))
    assert quantize(dequantize([0, 16], 17), 17).tolist() == [0, 16]


def test_nan_has_no_level():
    for value in (np.array([0.5, np.nan]), torch.tensor([0.5, math.nan]), [math.nan]):
        with pytest.raises(ValueError, match="nan, which is no level.*train it anew"):
            quantize(value, 17)
    with pytest.raises(ValueError, match=r"only up to 1,048,576; give an array"):
        dequantize(torch.tensor([0]), 2**20 + 1)


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda m: torch.compile(m, backend="eager")])
def test_a_wrapped_sampler_can_be_trained(wrap):
    sampler, critic = GAN(nn.Linear(2, 1), 2), nn.Linear(1, 1)
    before = sampler.network.weight.clone()
    assert play(wrap(sampler), critic, torch.randn(16, 1), steps=2, batch_size=8).stopped == "all steps"
    assert not torch.equal(before, sampler.network.weight)
