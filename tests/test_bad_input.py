"""Every public function of the package, given what it cannot take: the message names the value, and the remedy.

A function that has no entry is noticed. Models have a table of their own, `tests/test_bad_models.py`.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import nn

import genutils
from genutils import (
    autoregressive,
    batches,
    coding,
    critics,
    data,
    door,
    gan,
    inference,
    information,
    lesson,
    live,
    loop,
    model,
    mulaw,
    networks,
    pixelcnn,
    pixelflow,
    planar,
    plot,
    schedules,
    splines,
    sprites,
    tasks,
    training,
    twosample,
)
from genutils.augment import warp
from genutils.baselines import digits as baseline_digits
from genutils.baselines import table as baseline_table
from genutils.classifiers import GaussianClassifier
from genutils.coding import arithmetic, huffman
from genutils.convolutional import ImageEncoder
from genutils.densities import Pinwheel, ring
from genutils.diffusion import Diffusion
from genutils.flow import Autoregressive, Coupling, Flow, shuffled_couplings
from genutils.information import arguments
from genutils.kinds import Estimate, Unit
from genutils.mixture import CategoricalMixture, GaussianMixture
from genutils.ngram import NGram
from genutils.nonparametric import KDE, Frequencies, Histogram
from genutils.ppca import PPCA
from genutils.strings import Strings, log_between
from genutils.tasks import Pictures, Windows
from genutils.vae import Gaussian, Levels, draw
from genutils.wavenet import WaveNet, from_full_past
from genutils.yardstick import Line, append, missing, read, rows, run, table

nan, inf = math.nan, math.inf
f32, f64 = np.float32, np.float64
RNG = np.random.default_rng(0)
HALF, LINE = [0.5, 0.5], nn.Linear(1, 1)
PIXELS = autoregressive.PixelNet(classes=2, width=8, blocks=1)
IMAGE = torch.zeros(1, 8, 8, dtype=torch.long)
NORMAL = torch.randn(4, 1)


def square(m, b):
    return m(b).square().mean()


def fit(**changed):
    given = {"model": nn.Linear(1, 1), "data": NORMAL, "loss": square, "steps": 2} | changed
    return training.fit(given.pop("model"), given.pop("data"), **given)


def play(**changed):
    given = {"model": gan.GAN(nn.Linear(1, 1), 1), "critic": nn.Linear(1, 1), "data": NORMAL, "steps": 1} | changed
    return gan.play(given.pop("model"), given.pop("critic"), given.pop("data"), **given)


def chain(log_prob=lambda z: -(z[:, 0] ** 2), start=((0.0,), (1.0,)), **changed):
    return inference.metropolis(log_prob, np.array(start), **{"steps": 3, "scale": 1.0, "generator": RNG} | changed)


def leaps(score=lambda z: -z, **changed):
    told = {"steps": 3, "step_size": 0.1, "generator": RNG} | changed
    return inference.hmc(lambda z: -(z**2).sum(1) / 2, score, np.zeros((2, 3)), **told)


def pictures(x):
    return Pictures("mine", dict.fromkeys(("train", "validation", "test"), x), None, 17)


def windows(ids, length=2):
    parts = dict.fromkeys(("train", "validation", "test"), ids)
    return Windows("mine", parts, levels=3, length=length, unit=Unit.BITS_PER_CHARACTER)


def states(value):
    found = RNG.normal(size=(8, 2, 1))
    found[3] = value
    return found


def audio(samples, rate=8000):
    return data.Audio(np.array(samples, f32), rate, "my.wav")


def axes():
    return plot.plt.figure().add_subplot()


#: By public function, calls that must be refused, and what the message says.
REFUSED = {
    "augment.warp": [
        (lambda: warp(np.zeros((1, 2, 2), int)), "takes a tensor, not a ndarray: give torch.as_tensor"),
        (lambda: warp(torch.zeros(1, 2, 2)), "whole numbers.*float32"),
        (lambda: warp(torch.full((1, 2, 2), 17)), "0 ... 16; these run from 17 to 17"),
    ],
    "autoregressive.in_all_orders": [
        (lambda: autoregressive.in_all_orders(PIXELS, {"x": IMAGE}), "give a label for each image"),
        (lambda: autoregressive.in_all_orders(PIXELS, {"x": IMAGE, "labels": torch.tensor([-1])}), "from -1 to -1"),
        (lambda: autoregressive.in_all_orders(PIXELS, {"x": IMAGE + 17, "labels": torch.tensor([0])}), "0 ... 16.*17"),
    ],
    "autoregressive.temper": [(lambda: autoregressive.temper(broken(PIXELS), IMAGE, torch.tensor([0])), "of no use")],
    "baselines.digits": [(lambda: baseline_digits("train"), "'train' is neither")],
    "baselines.table": [(lambda: baseline_table({"mine": ("exact", nan)}), "mine.*nan|finite")],
    "batches.examples": [
        (lambda: batches.examples("data", [1, 2]), "data is a list: give a tensor"),
        (lambda: batches.examples("data", torch.zeros(0, 2)), r"no examples in data: it has shape \(0, 2\)"),
        (lambda: batches.examples("data", (torch.zeros(3), torch.zeros(2))), "one number of examples"),
    ],
    "coding.arithmetic.quantise": [
        (lambda: arithmetic.quantise([0.5, nan]), r"\[1\] = nan"),
        (lambda: arithmetic.quantise([0.5, 0.4]), "must sum to 1, got 0.9; divide it by its sum"),
        (lambda: arithmetic.quantise(np.full(2**20 + 1, 2.0**-20)), "too large"),
    ],
    "coding.arithmetic.ideal_bits": [
        (lambda: coding.ideal_bits([2], HALF), r"symbol 2 at position 0 is outside the alphabet 0 \.\.\. 1"),
        (lambda: coding.ideal_bits(np.array([-1], np.int8), HALF), "symbol -1 at position 0"),
        (lambda: coding.ideal_bits([0.5], HALF), "integers.*float64; use .astype"),
    ],
    "coding.arithmetic.encode": [
        (lambda: coding.encode([0, 1], [1.0, 0.0]), "symbol 1 at position 1 has probability 0.*give every symbol"),
        (lambda: coding.encode([0], lambda prefix: [nan, 1.0]), "nan is not a probability"),
        (lambda: coding.encode([0, 1], np.full((3, 2), 0.5)), "3 rows for 2 symbols"),
    ],
    "coding.arithmetic.decode": [
        (lambda: coding.decode("text", 1, HALF), "data must be bytes, got str"),
        (lambda: coding.decode(b"", 99, HALF), "stops making sense after .* of 99 symbols"),
        (lambda: coding.decode(b"a", -1, HALF), "0 or more; got -1"),
    ],
    "coding.huffman.as_distribution": [(lambda: huffman.as_distribution("a"), "array of probabilities; it is str")],
    "coding.huffman.as_symbols": [
        (lambda: huffman.as_symbols([[1]]), r"one sequence, got shape \(1, 1\); use .ravel"),
        (lambda: huffman.as_symbols(np.array([2**63], np.uint64)), "far outside any alphabet"),
    ],
    "coding.huffman.as_length": [
        (lambda: huffman.as_length(2.5), "got 2.5"),
        (lambda: huffman.as_length(True), "True"),
    ],
    "coding.huffman.as_bytes": [(lambda: huffman.as_bytes([1]), "data must be bytes, got list")],
    "coding.huffman.check_range": [(lambda: huffman.check_range(np.array([9]), 9), "symbol 9 at position 0")],
    "coding.huffman.huffman_code": [
        (lambda: coding.huffman_code([nan, 1.0]), "nan is not a probability"),
        (lambda: coding.huffman_code([]), r"at least one; got shape \(0,\)"),
        (lambda: coding.huffman_code([HALF]), "one distribution, got shape"),
    ],
    "coding.huffman.huffman_encode": [
        (
            lambda: coding.huffman_encode([1], coding.huffman_code([1.0, 0.0])),
            "no code word because its probability was 0",
        ),
    ],
    "coding.huffman.huffman_decode": [
        (lambda: coding.huffman_decode(b"", 3, coding.huffman_code(HALF)), "0 bytes cannot hold 3 symbols"),
    ],
    "critics.critic_loss": [(lambda: critics.critic_loss(torch.zeros(0), torch.zeros(2)), r"no logits.*\(0,\)")],
    "critics.saturating": [(lambda: critics.saturating(torch.zeros(0)), "no logits")],
    "critics.non_saturating": [(lambda: critics.non_saturating(torch.zeros(0)), "no logits")],
    "critics.js_bound": [(lambda: critics.js_bound(torch.zeros(0), torch.zeros(2)), "no logits")],
    "critics.squared_gradient": [
        (lambda: critics.squared_gradient(torch.zeros(2), torch.zeros(2, 1)), r"needs x.requires_grad_\(\) before"),
    ],
    "data.corpus.text": [(lambda: data.text("/no/such/file"), "there is no file /no/such/file.*check the name")],
    "data.files.own": [
        (lambda: data.own("/no/such/file"), r"nothing at /no/such/file.*own\(\) reads a folder of images")
    ],
    "data.images.photos": [
        (lambda: data.photos(1), "whole number 2 ... 32.*it is 1"),
        (lambda: data.photos(colour=1), "colour is True or False; it is 1"),
    ],
    "door.answering": [(lambda: enter(door.answering(LINE, [1.0])), "a Linear takes a tensor, not a list")],
    "door.needs_tensor": [(lambda: door.needs_tensor(LINE, None), "a Linear takes a tensor, not a NoneType")],
    "door.shaped": [(lambda: door.shaped(torch.zeros(2), (2, 1), "it"), r"it must have shape \(2, 1\); it has \(2,\)")],
    "door.whole": [
        (lambda: door.whole(torch.tensor([0.5]), 17), "0.5 to 0.5. Were they scaled"),
        (lambda: door.whole(torch.tensor([nan]), 17), "nan"),
        (lambda: door.whole(torch.tensor([255], dtype=torch.uint8), 17), "from 255 to 255"),
    ],
    "door.usable": [(lambda: door.usable(torch.tensor([nan]), "the sampler"), "the sampler's output.*train it anew")],
    "door.data_named": [(lambda: blamed(torch.tensor([0.0, nan])), "of no use, as the data are no numbers: example 1")],
    "door.dtypes_named": [
        (
            lambda: named(torch.zeros(1, 1, dtype=torch.float64)),
            r"data is torch.float64.*give data.to\(torch.float32\)",
        ),
        (lambda: named(torch.zeros(1, 1, dtype=torch.int64)), r"data is torch.int64.*give data.to\(torch.float32\)"),
    ],
    "flow.shuffled_couplings": [
        (lambda: shuffled_couplings(1, 2, 4).log_prob(torch.zeros(1, 2)), "examples of 1 numbers")
    ],
    "gan.scale": [
        (lambda: gan.scale(torch.tensor([17]), 17), "0 ... 16.*from 17 to 17"),
        (lambda: gan.scale(torch.tensor([0.5]), 17), "Were they scaled"),
        (lambda: gan.scale(torch.tensor([0]), 1), "2 or more; it is 1"),
    ],
    "gan.unscale": [(lambda: gan.unscale(torch.tensor([nan]), 17), "nan, which is no level")],
    "gan.play": [
        (lambda: play(data=torch.zeros(0, 1)), "no examples in data"),
        (lambda: play(data=NORMAL.double()), r"data is torch.float64.*give data.to"),
        (lambda: play(steps=-1), "steps is 0 or more"),
        (lambda: play(batch_size=-1), "batch_size is -1"),
        (
            lambda: play(data=torch.full((4, 1), nan)),
            "the critic's loss is nan.*the data are no numbers: example 0 holds nan",
        ),
        (lambda: play(ema=1.5), "0 <= ema < 1; it is 1.5"),
    ],
    "inference.elbo": [(lambda: inference.elbo([1.0]), r"\(K, B\), K samples.*have shape \(1,\)")],
    "inference.iwae_bound": [(lambda: inference.iwae_bound(np.zeros((0, 3))), r"shape \(0, 3\)")],
    "inference.effective_weights": [
        (lambda: inference.effective_weights([[-inf, 0.0]]), "example 0 the largest log-weight is -inf"),
        (lambda: inference.effective_weights(torch.tensor([[0.0, nan]])), "example 1.*nan"),
    ],
    "inference.metropolis": [
        (lambda: chain(steps=0), "1 or more; it is 0"),
        (lambda: chain(scale=nan), "positive and finite; it is nan"),
        (lambda: chain(start=((nan,),)), "chain 0 starts where the log-density is not finite"),
        (lambda: chain(log_prob=lambda z: z), r"one number for each of 2 chains; its shape is \(2, 1\)"),
        (lambda: chain(start=np.zeros((0, 2))), r"one row for each chain; its shape is \(0, 2\)"),
    ],
    "inference.hmc": [
        (lambda: leaps(lambda z: -z[:, :1]), r"shaped like the states, \(2, 3\); its shape is \(2, 1\)"),
        (lambda: leaps(leapfrog=0), "1 or more; it is 0"),
        (lambda: leaps(step_size=inf), "it is inf"),
    ],
    "inference.effective_sample_size": [
        (lambda: inference.effective_sample_size(states(nan)), "state 3 of chain 0 holds nan"),
        (lambda: inference.effective_sample_size(np.zeros((8, 2, 1))), "never moved.*smaller steps"),
    ],
    "inference.r_hat": [
        (lambda: inference.r_hat(states(inf)), "state 3 of chain 0 holds inf"),
        (lambda: inference.r_hat(np.zeros((8, 2))), r"not \(8, 2\). Add axes"),
    ],
    "information.arguments.floats": [(lambda: arguments.floats("a", "p", "numbers"), "p must be numbers; it is str")],
    "information.arguments.refuse": [
        (lambda: arguments.refuse(np.array([False, True]), np.array([1, 2]), "p", "is bad"), r"p\[1\] = 2 is bad"),
    ],
    "information.arguments.distribution": [(lambda: arguments.distribution([], "p", (-1,)), r"its shape is \(0,\)")],
    "information.arguments.scale": [(lambda: arguments.scale(nan), "it is nan. Use base=2 for bits")],
    "information.discrete.surprisal": [
        (lambda: information.surprisal(1.1), "p = 1.1 is not a probability"),
        (lambda: information.surprisal([0.5, nan]), r"p\[1\] = nan"),
        (lambda: information.surprisal(np.int8(-1)), "p = -1.0"),
    ],
    "information.discrete.entropy": [
        (lambda: information.entropy([0.5, nan]), r"p\[1\] = nan is not a probability"),
        (lambda: information.entropy([0.5, 0.4]), "sums to 0.9, not to 1; if these are counts, divide"),
        (lambda: information.entropy([]), "its shape"),
        (lambda: information.entropy(np.array([3, 5], np.uint8)), "sums to 8"),
    ],
    "information.discrete.cross_entropy": [
        (lambda: information.cross_entropy(HALF, [1.0]), "p has 2 outcomes and q has 1"),
        (lambda: information.cross_entropy([HALF] * 2, [HALF] * 3), "other axes must match"),
    ],
    "information.discrete.kl": [(lambda: information.kl(HALF, [-0.5, 1.5]), r"q\[0\] = -0.5")],
    "information.discrete.js": [(lambda: information.js(HALF, [inf, 0.5]), r"q\[0\] = inf")],
    "information.discrete.joint_entropy": [(lambda: information.joint_entropy(HALF), "at least 2 axes")],
    "information.discrete.conditional_entropy": [
        (lambda: information.conditional_entropy([[1.0]], given="z"), "it was 'z'"),
    ],
    "information.discrete.mutual_information": [(lambda: information.mutual_information([[0.5, nan]]), "nan")],
    "information.discrete.plug_in_entropy": [
        (lambda: information.plug_in_entropy([0, 0]), "nothing was observed"),
        (lambda: information.plug_in_entropy([1, -1]), r"counts\[1\] = -1"),
    ],
    "information.discrete.kl_monte_carlo": [
        (lambda: information.kl_monte_carlo([0.0, nan], [0.0, 0.0]), r"log_p\[1\] = nan"),
        (lambda: information.kl_monte_carlo([0.0], [0.0]), "n at least 2"),
        (lambda: information.kl_monte_carlo(np.zeros((2, 1)), np.zeros(2)), r"\(2, 1\) and \(2,\)"),
    ],
    "information.gaussian.gaussian_entropy": [
        (lambda: information.gaussian_entropy(0.0), "sigma = 0.0 is not a standard deviation"),
        (lambda: information.gaussian_entropy(cov=[[1.0, 2.0], [2.0, 1.0]]), "not positive definite"),
    ],
    "information.gaussian.gaussian_kl": [(lambda: information.gaussian_kl(nan, 1, 0, 1), "mu_p = nan is not a mean")],
    "information.gaussian.gaussian_cross_entropy": [
        (lambda: information.gaussian_cross_entropy(0, 1, 0, inf), "sigma_q = inf"),
    ],
    "information.gaussian.gaussian_kl_full": [
        (lambda: information.gaussian_kl_full([0], [[nan]], [0], [[1]]), r"cov_p\[0, 0\] = nan"),
        (lambda: information.gaussian_kl_full([0, 0], [[1]], [0], [[1]]), "dimensions differ"),
    ],
    "information.gaussian.gaussian_cross_entropy_full": [
        (lambda: information.gaussian_cross_entropy_full([0], [[1, 2]], [0], [[1]]), r"its shape is \(1, 2\)"),
    ],
    "lesson.claim": [(lambda: lesson.claim(nan, "x"), "True or False, but was given float")],
    "lesson.source": [(lambda: lesson.source(3), "3 has no source to show")],
    "live.live_figure": [
        (lambda: live.live_figure([], "</script>", alt="a figure of four words", caption="x"), "split the string"),
    ],
    "loop.descend": [
        (lambda: loop.descend(torch.zeros(2, requires_grad=True), adam(), [], rate=1.0), "one number, not of shape"),
        (lambda: loop.descend(torch.zeros(()), adam(), [], rate=1.0), "does not depend on any weight"),
        (lambda: loop.descend(LINE.weight.sum(), adam(), LINE.parameters(), rate=1.0, clip=-1.0), "above 0.*it is -1"),
        (lambda: loop.descend(LINE.weight.sum() * nan, adam(), LINE.parameters(), rate=1.0), "the loss is nan"),
    ],
    "loop.one_number": [(lambda: loop.one_number(torch.zeros(3)), r"not of shape \(3,\): take its mean")],
    "loop.averaged": [(lambda: loop.averaged(LINE, nan), "0 <= ema < 1; it is nan")],
    "model.dequantized.dequantize": [
        (lambda: model.dequantize(np.array([256]), 256), "0 ... 255; these run from 256 to 256"),
        (lambda: model.dequantize(np.array([nan]), 256), "nan"),
        (lambda: model.dequantize(torch.tensor([-1], dtype=torch.int8), 128), "from -1 to -1"),
    ],
    "model.dequantized.quantize": [(lambda: model.quantize([nan], 4), "nan, which is no level")],
    "model.evaluation.evaluate": [
        (lambda: model.evaluate(KDE(1.0).fit([[0.0]]), np.zeros((0, 1))), "no examples to evaluate"),
        (
            lambda: model.evaluate(Frequencies(2, 0.0).fit([[0]]), np.array([[1]])),
            "example 0 gets inf.*Smooth the model",
        ),
    ],
    "model.evaluation.answers": [(lambda: model.answers(gan.GAN(LINE, 1), NORMAL), "a GAN answers with no answer")],
    "model.interface.one_each": [(lambda: model.one_each(np.zeros((2, 1)), 2), r"its shape is \(2, 1\). Sum over")],
    "model.units.bits_per_dim": [
        (lambda: model.bits_per_dim(1.0, nan), "it is nan"),
        (lambda: model.bits_per_dim(1.0, 2.5), "it is 2.5"),
    ],
    "model.units.nats_per_example": [(lambda: model.nats_per_example(1.0, inf), "it is inf")],
    "mulaw.compress": [(lambda: mulaw.compress(NORMAL, 0), "mu is positive.*it is 0")],
    "mulaw.expand": [(lambda: mulaw.expand(NORMAL, inf), "mu is positive.*it is inf")],
    "mulaw.encode": [
        (lambda: mulaw.encode(torch.tensor([0.5, nan])), "the wave holds nan: leave such parts out"),
        (lambda: mulaw.encode(torch.tensor([1.5])), r"lies in -1 \.\.\. 1; this one reaches 1.5. Divide it by 1.5"),
        (lambda: mulaw.encode(torch.tensor([0.5]), 1), "2 or more; it is 1"),
    ],
    "mulaw.decode": [(lambda: mulaw.decode(torch.tensor([64]), 64), "0 ... 63; these are.*64")],
    "mulaw.middles": [(lambda: mulaw.middles(2.5), "2 or more; it is 2.5")],
    "mulaw.edges": [(lambda: mulaw.edges(0), "2 or more; it is 0")],
    "mulaw.signal_to_noise": [(lambda: mulaw.signal_to_noise(NORMAL, NORMAL), "an error that is not 0")],
    "mulaw.wave": [
        (lambda: mulaw.wave(audio([0.5], 44_100), 8000), "8,000 Hz is wanted.*resample_poly"),
        (lambda: mulaw.wave(audio([0.0]), 8000), "my.wav: it is silent"),
        (lambda: mulaw.wave(audio([0.1, 1, 1, 1, 0.1]), 8000), "from sample 1 on it stays at 1: it was cut off there"),
    ],
    "networks.waves": [(lambda: networks.waves(NORMAL, 2, slowest=0), "positive frequencies; they are 0")],
    "pixelflow.groups": [(lambda: pixelflow.groups((2, 2)), r"64 pixels together; \(2, 2\) hold 4")],
    "pixelcnn.log_logistic": [
        (lambda: pixelcnn.log_logistic(torch.tensor([17]), torch.tensor(0.0), torch.tensor(0.0), 17), "0 ... 16.*17"),
        (lambda: pixelcnn.log_logistic(torch.tensor([0.5]), torch.tensor(0.0), torch.tensor(0.0), 17), "scaled"),
    ],
    "pixelcnn.neighbours": [(lambda: pixelcnn.neighbours(torch.zeros(3, 64), 17), r"\(B, H, W\).*\(3, 64\)")],
    "pixelflow.multiscale_flow": [(lambda: pixelflow.multiscale_flow(rounds=0), "rounds is 1 or more; it is 0")],
    "pixelflow.squeeze": [
        (lambda: pixelflow.squeeze(range(9), 3), "an even side.*side 3 and 9 pixels"),
        (lambda: pixelflow.squeeze(range(9), 4), "side 4 and 9 pixels"),
    ],
    "pixelflow.pixel_flow": [(lambda: pixelflow.pixel_flow(kind="curves"), "'lines'; it is 'curves'")],
    "plot.curve": [(lambda: plot.curve(axes(), [0], [1], role="nobody"), "no role 'nobody'; the roles are")],
    "plot.bars": [(lambda: plot.bars(axes(), [0], [1], role="nobody"), "no role 'nobody'")],
    "plot.points": [(lambda: plot.points(axes(), torch.zeros(3)), r"\(B, 2\); this one has shape \(3,\)")],
    "plot.show_images": [
        (lambda: plot.show_images(axes(), np.zeros((0, 2, 2))), r"has shape \(0, 2, 2\)"),
        (lambda: plot.show_images(axes(), np.full((1, 2, 2), inf)), "draws finite numbers"),
        (lambda: plot.show_images(axes(), np.zeros((1, 2, 2)), columns=0), "1 or more; it is 0"),
    ],
    "plot.show": [(lambda: plot.show(axes().figure, alt="", caption="x"), "alt must say in a sentence")],
    "splines.spline": [
        (lambda: splines.spline(torch.zeros(2), torch.zeros(1, 4)), r"must have shape \(2, 4\).*it is \(1, 4\)"),
        (lambda: splines.spline(torch.zeros(1), torch.zeros(1, 60_000)), "1 ... 50,000 bins; there are 60,000"),
    ],
    "sprites.sprites": [
        (lambda: sprites.sprites(0), "1 or more; it is 0"),
        (lambda: sprites.sprites(2, noise=nan), "0 or more; it is nan"),
        (lambda: sprites.sprites(2, shapes=("star",)), r"not \['star'\]"),
    ],
    "sprites.sprite": [
        (lambda: sprites.sprite(size=nan), "size is positive; they are"),
        (lambda: sprites.sprite(shape="x"), "no shape 'x'"),
    ],
    "tasks.task": [(lambda: tasks.task("faces"), "no task is called 'faces'; there are digits")],
    "training.cost": [
        (lambda: training.cost(shuffled_couplings(2, 1, 4), torch.full((1, 2), nan)), "example 0 holds nan")
    ],
    "training.fit": [
        (lambda: fit(data=np.zeros((3, 1))), "data is a ndarray: give a tensor"),
        (lambda: fit(data=torch.zeros(0, 1)), "no examples in data"),
        (lambda: fit(data=NORMAL.double()), r"give data.to\(torch.float32\)"),
        (lambda: fit(data=torch.zeros(3, 1, dtype=torch.long)), r"torch.int64.*give data.to\(torch.float32\)"),
        (lambda: fit(data=torch.full((3, 1), nan)), "the data are no numbers: example 0 holds nan"),
        (lambda: fit(steps=-1), "steps is 0 or more"),
        (lambda: fit(every=0), "every 1 or more; they are 2 and 0"),
        (lambda: fit(batch_size=-1), "batch_size is -1"),
        (lambda: fit(clip=0), "above 0, or None; it is 0"),
        (lambda: fit(clip=-1.0), "above 0, or None; it is -1"),
        (lambda: fit(patience=0, validation=NORMAL), "1 or more; it is 0"),
        (lambda: fit(schedule=lambda t: nan), "weight|the loss is nan"),
        (lambda: fit(loss=lambda m, b: b.mean()), "does not depend on any weight"),
        (lambda: fit(loss=lambda m, b: m(b)), r"not of shape \(4, 1\): take its mean"),
        (lambda: fit(ema=nan), "it is nan"),
    ],
    "training.held_out": [
        (lambda: training.held_out(LINE, torch.zeros(0, 1), square), "no examples to judge by"),
        (lambda: training.held_out(LINE, NORMAL, lambda m, b: m(b)), r"one number, not of shape \(4, 1\)"),
        (lambda: training.held_out(LINE, NORMAL.double(), square), "give data.to"),
    ],
    "strings.log_between": [(lambda: log_between(NORMAL, NORMAL - 1), "a <= b; here one does not")],
    "twosample.energy_distance": [
        (lambda: twosample.energy_distance([[nan], [0.0]], [[0.0], [1.0]]), "x: example 0 is not finite"),
        (lambda: twosample.energy_distance([[0.0]], [[0.0], [1.0]]), "two examples or more; there are 1 and 2"),
        (lambda: twosample.energy_distance(np.zeros((2, 1)), np.zeros((2, 2))), "1 and of 2 numbers"),
    ],
    "twosample.mode_counts": [(lambda: twosample.mode_counts([[0.0]], [[0.0]], nan), "positive; it is nan")],
    "twosample.modes_covered": [(lambda: twosample.modes_covered([[0.0, 0.0]], [[0.0]], 1.0), "they must agree")],
    "twosample.real_against_real": [
        (lambda: twosample.real_against_real(lambda a, b: nan, np.arange(9.0), 2), "pair 0 is nan"),
        (lambda: twosample.real_against_real(np.subtract, np.arange(3.0), 2), "3 real examples are too few"),
    ],
    "vae.draw": [
        (lambda: draw(torch.distributions.Bernoulli(0.5)), "not Bernoulli"),
        (lambda: draw(Levels(nn.Identity())(torch.full((1, 2, 3), nan))), "output is not finite"),
    ],
    "wavenet.from_full_past": [(lambda: from_full_past(WaveNet(), {"x": IMAGE[0, :, :32]}), "receptive field of 32")],
    "yardstick.results.missing": [(lambda: missing(["vae"], ["ring"], 0, "x"), "1 or more; it is 0")],
    "yardstick.results.read": [(lambda: read(broken_results()), "line 1 is not a finished run.*delete that line")],
    "yardstick.runs.run": [(lambda: run("faces", "ring", 0), "no model is called 'faces'")],
}

#: By class that is no model, how it refuses; models that are set up wrongly are here as well.
CLASSES = {
    "batches.Batches": [(lambda: batches.Batches(NORMAL, torch.device("cpu"))(-1), "batch_size is -1")],
    "classifiers.GaussianClassifier": [
        (lambda: GaussianClassifier().fit([[0.0], [1.0]], [0.0, nan]), r"y\[1\] is nan"),
        (lambda: GaussianClassifier().fit([[0.0], [1.0]], [None, None]), "labels must be of a kind that can be sorted"),
        (lambda: GaussianClassifier().fit([[1e200], [1.0]], [0, 1]), "1.0e\\+200; choose a larger unit"),
        (lambda: prior([1.0, 2.0]), "prior sums to 3, not to 1"),
        (lambda: prior([1.0]), r"each of 2 classes, not \(1,\)"),
        (lambda: GaussianClassifier().parameter_count(), "has not been fitted"),
    ],
    "coding.huffman.PrefixCode": [(lambda: coding.PrefixCode(["0", "01"]), "not prefix-free")],
    "data.corpus.Text": [
        (lambda: data.text().encode("\u2603"), "at position 0 is not among"),
        (lambda: data.text().decode([0.5]), "integers"),
    ],
    "diffusion.Diffusion": [
        (lambda: Diffusion(LINE, (1,), scale=0.0), "scale must be positive"),
        (lambda: Diffusion(LINE, (1,), scale=nan), "scale must be positive"),
    ],
    "flow.Autoregressive": [(lambda: Autoregressive(LINE, reads="all"), "'data' or 'noise'; it is 'all'")],
    "flow.Coupling": [(lambda: Coupling([0], [0], LINE), "none of them kept")],
    "flow.Flow": [(lambda: Flow(1, [], low=1.0, high=nan), "high must be above low")],
    "kinds.Estimate": [
        (lambda: Estimate(np.zeros(2), 0.0, shared=nan), "the smallest here is nan"),
        (lambda: Estimate(np.zeros(2), np.zeros((2, 1))), r"\(2,\); its shape is \(2, 1\)"),
    ],
    "live.Slider": [(lambda: live.Slider("x", "x", 0.0, 1.0, nan), "nan")],
    "mixture.CategoricalMixture": [
        (lambda: CategoricalMixture(1, nan), "it is nan"),
        (lambda: CategoricalMixture(1, 2, smoothing=inf), "it is inf"),
        (lambda: CategoricalMixture(1, 2).fit(np.array([["a"]])), "takes numbers; these are <U1"),
        (lambda: CategoricalMixture(1, 2).fit(np.zeros((0, 1))), "no examples to fit"),
        (lambda: CategoricalMixture(1, 2).fit([[0]], validation=np.zeros((0, 1))), "no examples in validation"),
    ],
    "mixture.GaussianMixture": [
        (lambda: GaussianMixture(inf), "it is inf"),
        (lambda: GaussianMixture(1).fit([[1e160], [1.0]]), r"as large as 1.0e\+160; choose a larger unit"),
        (lambda: GaussianMixture(1).fit([[nan]]), "must be finite; this holds nan"),
    ],
    "networks.Dropout": [(lambda: networks.Dropout(nan), "0 <= p < 1; it is nan")],
    "networks.Lookup": [
        (lambda: networks.Lookup(3, knots=15), "knots is 16 or more.*it is 15"),
        (lambda: networks.Lookup(3, low=1.0, high=1.0), "low must be below high"),
    ],
    "ngram.NGram": [
        (lambda: ngram().next(np.array([-1])), "0 ... 2; these run from -1 to -1"),
        (lambda: ngram().next(np.array([0.5])), "whole numbers of shape.*float64"),
        (lambda: ngram().sample(1, start=[1.5]), "whole numbers of shape.*float64"),
        (lambda: ngram(symbols=0), "1 or more; it is 0"),
        (lambda: ngram(context=1.5), "it is 1.5"),
    ],
    "nonparametric.Histogram": [
        (lambda: Histogram([(0, inf)]), "finite low < high"),
        (lambda: Histogram([(0, 1)], bins=2.5), "2.5"),
        (lambda: Histogram([(0, 1)], smoothing=nan), "nan"),
        (lambda: Histogram([(0, 1)]).fit(np.zeros((0, 1))), "no examples to fit"),
        (lambda: Histogram([(0, 1)]).log_prob([[0.5]]), "has not been fitted; call fit"),
        (lambda: Histogram([(0, 1)]).sample(1), "has not been fitted"),
    ],
    "nonparametric.Frequencies": [
        (lambda: Frequencies(2.5), "they are 2.5"),
        (lambda: Frequencies(2, inf), "they are 2 and inf"),
        (lambda: Frequencies(2).log_prob([[0]]), "has not been fitted"),
        (lambda: Frequencies(2).sample(1), "has not been fitted"),
    ],
    "nonparametric.KDE": [
        (lambda: KDE(True), "it is True"),
        (lambda: KDE(1.0).sample(1), "has not been fitted"),
        (lambda: KDE(1.0).leave_one_out(), "has not been fitted"),
        (lambda: KDE(1.0).log_prob([[0.0]]), "has not been fitted"),
        (lambda: KDE(1.0).fit(np.zeros((0, 1))), "no examples to fit"),
    ],
    "planar.PlaneNet": [
        (lambda: planar.PlaneNet(((0, 1), (0, 1)), knots=8), "knots is 16 or more.*it is 8"),
        (lambda: planar.PlaneNet(((0, 0), (0, 1))), "x0 < x1 and y0 < y1"),
    ],
    "ppca.PPCA": [
        (lambda: PPCA(inf), "it is inf"),
        (lambda: PPCA(0).fit([[0.0], [1.0]], noise=nan), "0 or more; it is nan"),
        (lambda: PPCA(0).fit([[1e200], [1.0]]), "choose a larger unit"),
        (lambda: PPCA(0).fit([[nan], [1.0]]), "must be finite; this holds nan"),
    ],
    "schedules.Schedule": [(lambda: schedules.Schedule(nan, 1.0), "low must be below high; they are nan")],
    "schedules.Cosine": [(lambda: schedules.Cosine(-inf, 1.0), "low must be below high; they are -inf")],
    "sprites.Sprites": [(lambda: sprites.sprites(1)["colour"], "no factor 'colour'; the factors are")],
    "strings.Strings": [
        (lambda: Strings(delays=(3, 0)), r"1 or more, one for each string; they are \(3, 0\)"),
        (lambda: Strings(loss=1.0), "0 < loss < 1; it is 1.0"),
        (lambda: Strings(noise=0.0), "without wind the future is certain"),
        (lambda: Strings(loudness=(0.5, 1.5)), "where 1 is full scale"),
        (lambda: Strings().string(440.0), "no string is near 440 Hz: they go from 131 to 258 Hz"),
        (lambda: Strings().string(nan), "no string is near nan"),
        (lambda: Strings().damping(2), "odd overtones.*not 2"),
        (lambda: Strings().log_prob(IMAGE), r"one row each; this has shape \(1, 8, 8\)"),
    ],
    "tasks.sorts.Pictures": [
        (lambda: pictures(np.full((1, 2, 2), 0.5)), "Were they scaled"),
        (lambda: pictures(np.full((1, 2, 2), 99)), "0 ... 16.*from 99 to 99"),
        (lambda: tasks.task("digits").batch(1, warped=nan), "warped is a share of the images.*it is nan"),
        (lambda: tasks.task("digits").batch(1, labelled=2), "labelled is a share of the images.*it is 2"),
    ],
    "tasks.sorts.Windows": [
        (lambda: windows(np.array([0.5, 1.0])), "Were they scaled"),
        (lambda: windows(np.array([0, 3])), "0 ... 2.*from 0 to 3"),
        (lambda: windows(np.array([0, 1]), length=0), "length is 0"),
        (lambda: windows(np.array([0, 1])).batch(1, length=3), "1 ... 2 symbols; length is 3"),
    ],
    "tasks.sorts.Notes": [
        (lambda: tasks.task("strings", length=0), "a note of 'strings' has 1 sample or more; length is 0"),
        (lambda: tasks.task("strings").batch(2, length=0), "a note of 'strings' has 1 sample or more; length is 0"),
    ],
    "tasks.interface.Task": [
        (lambda: tasks.task("digits").values(np.zeros((3, 1)), torch.zeros(3, 8, 8)), r"its shape is \(3, 1\)"),
        (lambda: tasks.task("ring").values(np.zeros((3, 1)), torch.zeros(3, 2)), r"its shape is \(3, 1\)"),
    ],
    "vae.Gaussian": [(lambda: Gaussian(LINE, lowest=nan), "lowest must be below highest")],
    "vae.Levels": [
        (lambda: Levels(nn.Identity())(torch.zeros(1, 2, 3)).log_prob(torch.tensor([[0.5, 1.0]])), "Were they scaled"),
        (lambda: Levels(nn.Identity())(torch.zeros(1, 2, 3)).log_prob(torch.tensor([[3, 1]])), "0 ... 2.*from 1 to 3"),
    ],
    "wavenet.WaveNet": [
        (lambda: WaveNet(layers=0), "1 or more; they are 0, 1 and 1"),
        (lambda: WaveNet(levels=1), "2 or more; it is 1"),
        (lambda: WaveNet().log_prob(IMAGE), r"one row each; this is \(1, 8, 8\)"),
        (lambda: WaveNet().sample(1, start=IMAGE[0, :1, :0]), "An empty one is no beginning: leave start out"),
    ],
    "convolutional.ImageEncoder": [
        (lambda: ImageEncoder(2, 2)(torch.full((1, 8, 8), 0.5)), "Were they scaled"),
        (lambda: ImageEncoder(2, 2)(torch.full((1, 8, 8), 17)), "from 17 to 17"),
    ],
}

#: Those that cannot be given anything bad, or whose input another test goes through: why, and which.
ELSEWHERE = {
    "test_bad_models.py": """
        autoregressive.MADE autoregressive.PixelNet diffusion.LevelDiffusion gan.GAN mixture.Mixture
        model.interface.Model model.dequantized.Dequantized neighbours.Neighbours pixelcnn.PixelCNN
        pixelflow.PixelFlow vae.VAE
    """,
    "holds what others computed": """
        baselines.Baseline data.corpus.Text data.files.Images data.images.Digits data.images.Photos data.sound.Audio
        environment.Finding environment.Report gan.Game inference.Chains information.discrete.Estimate lesson.Markdown
        live.Live loop.Diverged model.evaluation.Evaluation ppca.Posterior training.Record yardstick.results.Line
        kinds.Kind kinds.Unit
    """,
    "takes anything": """
        door.spoilt batches.each batches.tensors batches.count batches.split door.not_finite door.countable
        model.evaluation.as_array model.interface.unwrapped model.interface.kind information.arguments.tolerance
    """,
    "takes nothing; test_threads.py, test_environment.py, test_baselines.py": """
        baselines.measure baselines.write data.images.digits environment.environment lesson.took lesson.spent
        plot.use_style threads.allowed threads.limit
    """,
    "takes words or a number": """
        lesson.display lesson.say plot.panels loop.randomness training.low_precision training.cosine
        training.flat_then_down
    """,
    "test_own.py": """
        data.files.read_idx data.sound.sound
    """,
    "test_checkpoint.py, test_loop.py": """
        checkpoint.Checkpoint checkpoint.key checkpoint.describe loop.Loop loop.Kept loop.Ranks
    """,
    "are given what `encode` has checked": """
        coding.arithmetic.narrow coding.compiled.compiled
    """,
    "stands behind the door of a model": """
        convolutional.ConvBlock convolutional.ImageDecoder convolutional.ToldConvBlock convolutional.ImageDenoiser
        convolutional.ImageSampler convolutional.ImageCritic flow.Turn networks.ResidualMLP networks.Constant
        optimizers.Adam optimizers.Muon optimizers.SGD optimizers.adam optimizers.orthogonal
        pixelflow.Pixels pixelflow.Window pixelflow.AtOnce
        pixelflow.Maps planar.Wavy planar.NearPoint planar.PointDenoiser planar.WithSigns planar.leaky_layers
        wavenet.GatedBlock wavenet.Cache
    """,
    "test_transformer.py, test_decoding.py, test_tokens.py": """
        transformer.Transformer transformer.Attention transformer.Block transformer.Cache transformer.angles
        transformer.rotate decoding.next_probs decoding.draw decoding.acceptance decoding.speculate tokens.BytePairs
        tokens.merge tokens.bits_per_byte
    """,
    "test_densities.py, and below": """
        densities.Density densities.Mixture densities.Pinwheel densities.Checkerboard
    """,
    "test_stacks.py": """
        stacks.MaskedConv2d stacks.OneStack stacks.TwoStacks stacks.gate
    """,
    "test_plot.py": """
        plot.show_density
    """,
    "test_live.py": """
        live.Choice live.Keys
    """,
    "has nothing but a density": """
        tasks.sorts.Points
    """,
    "test_yardstick.py": """
        yardstick.results.append yardstick.results.rows yardstick.results.table yardstick.counting.count_operations
        yardstick.counting.operations
    """,
}


def broken(network):
    import copy

    network = copy.deepcopy(network)
    with torch.no_grad():
        next(network.net.parameters()).fill_(nan)
    return network


def enter(context):
    with context:
        pass


def named(x):
    with door.dtypes_named(LINE, x):
        LINE(x)


def blamed(x):
    with door.data_named((x,)):
        raise FloatingPointError("of no use")


def adam():
    return torch.optim.Adam(LINE.parameters())


def prior(values):
    found = GaussianClassifier().fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1])
    found.prior = values
    return found.log_prob([[0.0]])


def ngram(**changed):
    return NGram(np.array([0, 1, 2, 0]), **{"symbols": 3, "context": 1} | changed)


def broken_results():
    import pathlib
    import tempfile

    file = pathlib.Path(tempfile.mkdtemp()) / "results.jsonl"
    file.write_text('{"model": nan}\n', encoding="utf-8")
    return file


def public() -> set[str]:
    """The public functions and classes of the package, by module and name; checks and figures are read by others."""
    found = set()
    for module in pkgutil.walk_packages(genutils.__path__, "genutils."):
        if module.name.split(".")[1] in ("check", "figures", "recipes"):
            continue
        for name, thing in vars(importlib.import_module(module.name)).items():
            if not name.startswith("_") and getattr(thing, "__module__", None) == module.name:
                if inspect.isclass(thing) or (callable(thing) and inspect.isfunction(inspect.unwrap(thing))):
                    found.add(f"{module.name}.{name}".removeprefix("genutils."))
    return {name.replace("live.__init__", "live").replace("tasks.__init__", "tasks") for name in found}


def test_every_public_function_has_an_entry_and_every_entry_a_function():
    entries = REFUSED.keys() | CLASSES.keys() | {name for names in ELSEWHERE.values() for name in names.split()}
    assert not (new := sorted(public() - entries)), f"say what these refuse, in REFUSED, CLASSES or ELSEWHERE: {new}"
    assert not (gone := sorted(entries - public())), f"these are no more: {gone}"


CASES = [(name, *case) for table in (REFUSED, CLASSES) for name, cases in table.items() for case in cases]


@pytest.mark.parametrize("name, call, says", CASES, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(CASES)])
def test_what_cannot_be_taken_is_refused_in_words(name, call, says):
    with pytest.raises(Exception) as refusal:
        call()
    kinds = (ValueError, TypeError, FloatingPointError, LookupError, OSError)
    assert isinstance(refusal.value, kinds) and refusal.traceback[-1].path.match(
        "*/genutils/**/*.py" if False else "*.py"
    )
    assert re.search(says, str(refusal.value)), str(refusal.value)
    plot.plt.close("all")


# what must be taken, whatever its form ------------------------------------------------------------------------------


def test_weights_of_eight_bits_do_not_overflow():
    for dtype in (np.int8, np.uint8, np.int64):
        w = np.full((2, 1), 100, dtype)
        assert inference.effective_weights(w).tolist() == pytest.approx([2.0])
        assert inference.iwae_bound(w).tolist() == pytest.approx([100.0]) == inference.elbo(w.tolist()).tolist()
    assert inference.iwae_bound(torch.tensor([[1], [1]])).item() == pytest.approx(1.0)


def test_units_of_whole_numbers_and_of_lists():
    assert model.bits_per_dim(np.array([-128], np.int8), 1)[0] == pytest.approx(128 / math.log(2))
    assert model.bits_per_dim(np.array([1], np.uint8), 1)[0] == pytest.approx(-1 / math.log(2))
    assert model.bits_per_dim([-1.0, -2.0], 1).tolist() == pytest.approx([1 / math.log(2), 2 / math.log(2)])
    assert model.nats_per_example([1, 2], 2).tolist() == pytest.approx([2 * math.log(2), 4 * math.log(2)])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    hnp.arrays(st.sampled_from(["uint8", "int8", "int32", "float32", "float64"]), (6, 2), elements=st.integers(0, 100))
)
def test_distances_do_not_depend_on_the_dtype_or_the_kind_of_array(x):
    x = x[:3], x[3:] + x.dtype.type(1)
    want = twosample.energy_distance(*(part.astype(np.float64) for part in x))
    assert twosample.energy_distance(*x) == twosample.energy_distance(*map(torch.as_tensor, x)) == want
    assert twosample.energy_distance(*(part.tolist() for part in x)) == want


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-30, 30)), st.sampled_from([np.float64, np.float32])
)
def test_entropy_of_a_softmax_is_taken_in_any_form(logits, dtype):
    z = logits.astype(dtype)
    p = np.exp(z - z.max())
    p = p / p.sum()
    want = float(information.entropy(p.astype(np.float64) / p.astype(np.float64).sum()))
    tensor = torch.as_tensor(p).requires_grad_()
    for form in (p, p.tolist(), tensor, np.asfortranarray(np.repeat(p, 2))[::2]):
        assert float(information.entropy(form)) == pytest.approx(want, abs=1e-6)
    assert len(coding.decode(coding.encode([int(p.argmax())], p), 1, p)) == 1


def test_figures_take_tensors_that_learn_and_models_that_are_wrapped():
    ax, x = axes(), torch.rand(3, 2, requires_grad=True)
    plot.points(ax, x)
    plot.curve(ax, x[:, 0], x[:, 1], spread=x[:, 0])
    plot.bars(ax, [0, 1, 2], x[:, 0])
    plot.show_images(axes(), torch.rand(2, 4, 4, requires_grad=True).bfloat16())
    flow = nn.DataParallel(shuffled_couplings(2, 1, 4))
    plot.show_density(axes(), flow, bounds=((0, 1), (0, 1)), resolution=5)
    plot.plt.close("all")


def test_no_images_are_warped_to_none_and_any_integers_to_the_same():
    assert warp(torch.zeros(0, 4, 4, dtype=torch.uint8)).shape == (0, 4, 4)
    x = torch.randint(0, 17, (5, 8, 8))
    seeds = [torch.Generator().manual_seed(0) for _ in range(2)]
    assert torch.equal(warp(x.to(torch.uint8), generator=seeds[0]), warp(x, generator=seeds[1]))


@pytest.mark.parametrize("density", [ring, data.pinwheel, data.checkerboard], ids=str)
def test_a_density_at_infinity_is_zero_and_at_nan_nan(density):
    at = torch.tensor([[inf, 0.0], [-inf, inf], [nan, 0.0], [inf, nan]])
    assert str(density.log_prob(at).tolist()) == "[-inf, -inf, nan, nan]"
    assert isinstance(data.pinwheel, Pinwheel) and data.pinwheel.log_prob(torch.zeros(1, 2)).isfinite()


def test_a_spline_sends_nan_to_nan_and_leaves_the_others():
    for widths in (None, torch.zeros(2, 4)):
        for inverse in (False, True):
            y, _ = splines.spline(
                torch.tensor([nan, 0.3]), torch.zeros(2, 4), torch.zeros(2, 3), widths, inverse=inverse
            )
            assert y[0].isnan() and y[1].item() == pytest.approx(0.3)
    found = networks.Lookup(2)(torch.tensor([[nan], [0.5]]))
    assert found[0].isnan().all() and found[1].isfinite().all()


def test_a_probability_that_float32_made_a_little_more_than_one_is_one():
    assert information.surprisal(f32(1 + 1e-7)) == 0 == information.surprisal(np.uint8(1))


def test_a_task_of_images_of_sixteen_bits():
    assert pictures(np.full((1, 2, 2), 16, np.uint16)).split("train")["x"].tolist() == [[[16, 16], [16, 16]]]


def test_a_prior_may_be_float32_or_a_list():
    assert prior(np.array([0.3, 0.7], f32)).tolist() == pytest.approx(prior([0.3, 0.7]).tolist())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    hnp.arrays(
        st.sampled_from(["uint8", "int8", "uint16", "int32", "uint64"]), st.integers(0, 30), elements=st.integers(0, 4)
    )
)
def test_a_message_of_any_integers_is_the_same_message(symbols):
    p = np.array([0.5, 0.2, 0.1, 0.1, 0.1], f32)
    code, words = coding.encode(symbols.astype(int), p), coding.huffman_code(p)
    assert coding.encode(symbols, p) == coding.encode(symbols.tolist(), p.tolist()) == code
    assert np.array_equal(coding.decode(code, len(symbols), p), symbols)
    assert coding.huffman_encode(symbols, words) == coding.huffman_encode(symbols.astype(int), words)
    assert coding.ideal_bits(symbols, p) == pytest.approx(
        -np.log2(p.astype(float) / p.astype(float).sum())[symbols].sum()
    )


def test_a_line_of_results_with_numbers_of_numpy_can_be_read_again(tmp_path):
    line = Line("vae", "ring", np.int64(1), "bound", f32(0.5), "bpd", f64(0.1), np.int32(7), torch.tensor(1.5), 0.25)
    append(tmp_path / "lines", line)
    (back,) = read(tmp_path / "lines")
    assert (
        (back.seed, back.value, back.parameters, back.train_cpu_s) == (1, 0.5, 7, 1.5)
        and rows([back])
        and table([back])
    )
    with pytest.raises(TypeError, match="a line holds numbers and words, not a object"):
        append(tmp_path / "lines", Line("vae", "ring", 0, "bound", object(), "bpd", 0.1, 7, 1.5, 0.25))
    assert len(read(tmp_path / "lines")) == 1
