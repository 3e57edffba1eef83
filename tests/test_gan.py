"""GANs: the losses against closed forms, the optimal critic against an exact ratio, and a game in which each player
moves only itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from genutils import model as interface
from genutils.convolutional import ImageCritic, ImageSampler
from genutils.data import digits
from genutils.gan import (
    GAN,
    critic_loss,
    js_bound,
    non_saturating,
    play,
    saturating,
    scale,
    squared_gradient,
    unscale,
)
from genutils.recipes import Budget
from genutils.recipes import gan as recipe
from genutils.tasks import task
from genutils.training import Diverged


class Shift(nn.Module):
    """The smallest sampler there is: z + shift."""

    def __init__(self, shift: float = 0.0):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([shift]))

    def forward(self, z):
        return z + self.shift


class Line(nn.Module):
    """A critic with a straight logit, which is the exact log ratio of two Gaussians of one width."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(1, 1)
        nn.init.constant_(self.line.weight, 0.3)
        nn.init.zeros_(self.line.bias)

    def forward(self, x):
        return self.line(x).squeeze(1)


def normal(mean: float, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return lambda n: mean + torch.randn(n, 1, generator=generator)


def weights(module) -> torch.Tensor:
    return torch.cat([v.detach().flatten().double() for v in module.state_dict().values()])


# What a GAN can answer


def test_it_samples_and_says_why_it_has_no_density():
    gan = GAN(Shift(), 1)
    assert interface.kind(gan) == "none" and interface.evaluate(gan, None).value is None
    for name in ("log_prob", "elbo"):
        assert not hasattr(gan, name)
        with pytest.raises(AttributeError, match=r"a GAN has no .*: it pushes noise .* It can answer: sample"):
            getattr(gan, name)


def test_the_same_generator_gives_the_same_samples():
    gan = GAN(ImageSampler(8, width=8, classes=3), 8, classes=3, levels=17).eval()
    one, two = (gan.sample(50, generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two) and one.shape == (50, 8, 8) and one.dtype == torch.int64
    assert int(one.min()) >= 0 and int(one.max()) <= 16
    assert torch.equal(one, gan.sample(50, generator=torch.Generator().manual_seed(4), chunk=7))


def test_in_evaluation_a_sample_does_not_depend_on_its_batch():
    gan = GAN(ImageSampler(8, width=8), 8).eval()
    z = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(gan(z)[:2], gan(z[:2]), atol=1e-6)
    assert not torch.allclose(gan.train()(z)[:2], gan(z[:2]), atol=1e-3)  # batch norm: that is why play leaves eval


def test_samples_are_drawn_in_evaluation_mode_and_the_mode_is_as_before():
    gan = GAN(ImageSampler(8, width=8), 8, levels=17)
    norm = next(part for part in gan.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm))
    norm.eval()  # one part stands still while the rest learns
    modes, before = [part.training for part in gan.modules()], weights(gan)
    few, many = (gan.sample(n, generator=torch.Generator().manual_seed(0)) for n in (300, 300))
    assert [part.training for part in gan.modules()] == modes and True in modes and False in modes
    assert torch.equal(weights(gan), before)  # running statistics, too
    assert torch.equal(few, many) and torch.equal(
        few, gan.eval().sample(300, generator=torch.Generator().manual_seed(0))
    )
    broken = GAN(nn.Linear(3, 1), 2)
    with pytest.raises(RuntimeError):
        broken.sample(2)
    assert broken.network.training  # also after an error


def test_labels_are_obeyed_and_counted():
    class Echo(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, z, labels):
            return labels[:, None] + 0 * z

    gan = GAN(Echo(), 1, classes=4)
    assert gan.sample(4, labels=[3, 1, 0, 2]).flatten().tolist() == [3, 1, 0, 2]
    counts = torch.bincount(gan.sample(4000, generator=torch.Generator().manual_seed(0)).flatten().long())
    assert len(counts) == 4 and int(counts.min()) > 850
    with pytest.raises(ValueError, match="labels are 4 whole numbers 0 ... 3"):
        gan.sample(4, labels=[1, 2])
    with pytest.raises(ValueError, match="made without classes"):
        GAN(Shift(), 1).sample(2, labels=[0, 1])


def test_levels_come_back_from_their_scale():
    x = torch.arange(17)
    assert scale(x, 17).aminmax() == (-1, 1) and torch.equal(unscale(scale(x, 17), 17), x)
    assert unscale(torch.tensor([-7.0, 7.0]), 17).tolist() == [0, 16]


# The losses


def test_losses_are_cross_entropies_and_survive_certainty():
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 9, generator=generator, dtype=torch.float64)
    d_real, d_fake = real.sigmoid(), fake.sigmoid()
    assert critic_loss(real, fake).item() == pytest.approx(-(d_real.log().mean() + (1 - d_fake).log().mean()).item())
    assert saturating(fake).item() == pytest.approx((1 - d_fake).log().mean().item())
    assert non_saturating(fake).item() == pytest.approx(-d_fake.log().mean().item())
    sure = torch.tensor([800.0])
    assert critic_loss(sure, -sure).item() == 0 and critic_loss(-sure, sure).item() == 1600
    assert non_saturating(-sure).item() == 800 and saturating(sure).item() == -800


@pytest.mark.parametrize(
    ("loss", "slope"),
    [(saturating, lambda d: -d), (non_saturating, lambda d: d - 1)],
    ids=["minimax", "non-saturating"],
)
def test_gradients_of_the_samplers_losses(loss, slope):
    logits = torch.linspace(-9, 9, 19, dtype=torch.float64, requires_grad=True)
    (loss(logits) * len(logits)).backward()
    assert torch.allclose(logits.grad, slope(logits.detach().sigmoid()), atol=1e-12)


def test_js_is_read_off_the_optimal_critic_and_every_other_reads_less():
    p, q = stats.norm(0, 1), stats.norm(1.4, 0.7)

    def js():
        def term(x, a, b):
            return 0.5 * a.pdf(x) * (a.logpdf(x) - np.logaddexp(a.logpdf(x), b.logpdf(x)) + math.log(2))

        return integrate.quad(lambda x: term(x, p, q) + term(x, q, p), -9, 9)[0]

    rng = np.random.default_rng(0)
    x, y = p.rvs(200_000, random_state=rng), q.rvs(200_000, random_state=rng)

    def read(ratio):
        return js_bound(*(torch.from_numpy(ratio(s)) for s in (x, y))).item()

    exact = read(lambda s: p.logpdf(s) - q.logpdf(s))
    assert exact == pytest.approx(js(), abs=4e-3)
    for worse in (lambda s: 0 * s, lambda s: 0.5 * (p.logpdf(s) - q.logpdf(s)), lambda s: 0.7 - s):
        assert read(worse) < exact
    assert read(lambda s: 0 * s) == pytest.approx(0, abs=1e-12)
    assert read(lambda s: q.logpdf(s) - p.logpdf(s)) < 0  # worse than a coin


def test_a_line_learns_the_exact_log_ratio_of_two_gaussians():
    mean, critic = 1.2, Line()
    play(
        GAN(Shift(mean), 1), critic, normal(0.0), steps=300, batch_size=1000, lr=0.0, critic_lr=0.03, betas=(0.9, 0.99)
    )
    assert critic.line.weight.item() == pytest.approx(-mean, abs=0.15)  # log N(x; 0, 1)/N(x; m, 1) = -m x + m^2/2
    assert critic.line.bias.item() == pytest.approx(mean**2 / 2, abs=0.15)


def test_squared_gradient_of_a_known_function_and_of_each_example():
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    found = squared_gradient((x**2).sum(1), x)  # the gradient is 2 x
    assert torch.allclose(found, 4 * (x**2).sum(1)) and found.shape == (5,)
    image = torch.randn(4, 2, 3, 3, requires_grad=True)
    assert squared_gradient(2 * image.flatten(1).sum(1), image).tolist() == pytest.approx([4.0 * 18] * 4)  # all axes


# The game


def test_each_player_moves_only_itself_and_gradients_reach_both():
    for rates, moves in (((0.0, 0.1), (False, True)), ((0.1, 0.0), (True, False))):
        gan, critic = GAN(Shift(), 1), Line()
        before = weights(gan), weights(critic)
        play(gan, critic, normal(3.0), steps=1, lr=rates[0], critic_lr=rates[1])
        assert (not torch.equal(before[0], weights(gan)), not torch.equal(before[1], weights(critic))) == moves


def test_the_critics_turn_sends_nothing_to_the_sampler():
    grads = []

    class Spy(Shift):
        def forward(self, z):
            out = super().forward(z)
            if out.requires_grad:
                out.register_hook(lambda g: grads.append(g.detach().clone()))
            return out

    play(GAN(Spy(), 1), Line(), normal(2.0), steps=3, critic_steps=4, penalty=1.0)
    assert len(grads) == 3 and all(float(g.abs().sum()) > 0 for g in grads)  # once a step: in its own turn


@pytest.mark.parametrize("loss", [non_saturating, saturating])
def test_the_smallest_game_finds_the_data(loss):
    gan, critic = GAN(Shift(-1.0), 1), Line()
    game = play(gan, critic, normal(2.0), steps=600, batch_size=256, lr=0.03, loss=loss, penalty=1.0, ema=0.99)
    assert gan.network.shift.item() == pytest.approx(2.0, abs=0.15)
    assert game.critic[-1] == pytest.approx(2 * math.log(2), abs=0.02)
    assert game.stopped == "all steps" and len(game.steps) == len(game.critic) == len(game.generator) == 40


def test_same_seed_same_game_and_the_random_state_is_kept():
    def once(seed):
        torch.manual_seed(0)
        gan, critic = GAN(ImageSampler(4, width=4), 4), ImageCritic(width=4)
        x = scale(torch.from_numpy(digits().train[:64].copy()), 17)
        play(gan, critic, lambda n: x[torch.randint(64, (n,))], steps=4, batch_size=8, seed=seed, penalty=0.1, ema=0.9)
        return weights(gan), torch.rand(1)

    (a, one), (b, two), (c, _) = once(1), once(1), once(2)
    assert torch.equal(a, b) and torch.equal(one, two) and not torch.equal(a, c)


def test_what_is_watched_is_the_average_and_leaves_the_game_as_it_was():
    def once(watch):
        gan, critic = GAN(Shift(), 1), Line()
        game = play(gan, critic, normal(2.0), steps=20, every=5, lr=0.1, ema=0.9, watch=watch)
        return gan, game

    plain, _ = once(None)
    watched, game = once(lambda m, c: (m.training, m.network.shift.item(), m.sample(3).shape))
    assert torch.equal(weights(plain), weights(watched))
    assert len(game.seen) == 5 and game.steps == [5, 10, 15, 20]
    assert not any(training for training, *_ in game.seen)
    assert game.seen[-1][1] == watched.network.shift.item()


def test_it_stops_when_a_loss_is_no_number_and_says_what_to_try():
    def bad(n):
        return torch.full((n, 1), math.nan)

    with pytest.raises(Diverged, match=r"step 1 .* lower lr than 0.001") as caught:
        play(GAN(Shift(), 1), Line(), bad, steps=5)
    assert caught.value.record.stopped == "diverged"


def test_a_loss_that_is_no_number_does_not_reach_the_weights():
    gan, critic = GAN(Shift(), 1), Line()
    before = weights(gan), weights(critic)
    with pytest.raises(Diverged, match="step 1 the critic's loss is nan"):
        play(gan, critic, lambda n: torch.full((n, 1), math.nan), steps=5)
    assert torch.equal(before[0], weights(gan)) and torch.equal(before[1], weights(critic))
    with pytest.raises(Diverged, match=r"step 1 the sampler's loss is nan.*a penalty \(another\)"):
        play(
            gan,
            critic,
            normal(2.0),
            steps=5,
            lr=0.1,
            ema=0.9,
            loss=lambda f: f.sum() * math.nan,
            penalty=lambda *_: torch.zeros(()),
        )
    assert torch.equal(before[0], weights(gan)) and not torch.equal(before[1], weights(critic))
    assert all(p.requires_grad for p in critic.parameters())


def test_a_sampler_of_no_numbers_gives_no_whole_levels():
    gan = GAN(Shift(math.nan), 1, levels=17)
    with pytest.raises(ValueError, match="the sampler's output is not finite.*train it anew"):
        gan.sample(3)


def test_bad_batches_are_named():
    with pytest.raises(ValueError, match="a batch of no examples: asked for 128"):
        play(GAN(Shift(), 1), Line(), lambda n: torch.zeros(0, 1), steps=5)
    with pytest.raises(TypeError, match=r"the data is torch.float64 and the model torch.float32: give data.to"):
        play(GAN(Shift(), 1), Line(), lambda n: torch.zeros(n, 1).double(), steps=5)


def test_data_may_be_examples_with_labels_that_stay_together():
    class Echo(nn.Module):
        def __init__(self):
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(1))

        def forward(self, z, labels):
            seen.append(labels)
            return 0 * z + labels[:, None] + self.shift

    class Judge(Line):
        def forward(self, x, labels):
            same.append(torch.equal(x[:, 0].round(), labels.float()))
            return super().forward(x)

    seen, same, labels = [], [], torch.arange(12)
    play(GAN(Echo(), 1, classes=12), Judge(), (labels[:, None].float(), labels), steps=3, batch_size=4)
    assert sorted(torch.cat(seen[::2]).tolist()) == list(range(12)) and all(same) and len(same) == 9


def test_an_interrupted_game_keeps_the_average():
    turns = []

    def stops(fake):
        turns.append(gan.network.shift.item())
        if len(turns) == 15:
            raise KeyboardInterrupt
        return non_saturating(fake)

    gan, critic = GAN(Shift(), 1), Line()
    game = play(gan, critic, normal(2.0), steps=100, every=5, lr=0.1, ema=0.5, loss=stops)
    assert game.stopped == "interrupted" and game.steps == [5, 10] and not gan.training and not critic.training
    assert gan.network.shift.item() not in turns and all(p.requires_grad for p in critic.parameters())


def test_statistics_of_the_sampler_are_averaged_with_its_weights():
    class Counts(Shift):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, z):
            self.calls += self.training
            return super().forward(z)

    gan, last = GAN(Counts(), 1), GAN(Counts(), 1)
    play(gan, Line(), normal(2.0), steps=10, ema=0.5)
    play(last, Line(), normal(2.0), steps=10)
    assert last.network.calls == 20 and 16 < gan.network.calls < 19.5


def test_what_was_fixed_in_the_critic_stays_fixed():
    critic = Line()
    critic.line.bias.requires_grad_(False)
    play(GAN(Shift(), 1), critic, normal(2.0), steps=3, lr=0.1)
    assert not critic.line.bias.requires_grad and critic.line.bias.item() == 0
    assert critic.line.weight.requires_grad and critic.line.weight.item() != pytest.approx(0.3)


# Another critic's loss, another penalty


def wasserstein(real, fake):
    return fake.mean() - real.mean()


def test_the_critics_loss_is_an_argument_and_its_mean_is_in_the_record():
    seen = []

    def loss(real, fake):
        seen.append(wasserstein(real, fake).item())
        return wasserstein(real, fake)

    critic = Line()
    game = play(
        GAN(Shift(), 1), critic, normal(2.0), steps=4, every=2, critic_loss=loss, loss=lambda f: -f.mean(), penalty=0.5
    )
    assert game.critic == pytest.approx([sum(seen[:2]) / 2, sum(seen[2:]) / 2])  # without the penalty


def test_a_penalty_may_be_a_function_of_both_batches_and_the_labels():
    class Judge(Line):
        def forward(self, x, labels):
            return super().forward(x)

    class Sampler(Shift):
        def forward(self, z, labels):
            return super().forward(z)

    seen = []

    def penalty(critic, real, fake, labels):
        seen.append((type(critic), real.shape, fake.shape, labels.tolist(), fake.requires_grad))
        return 100.0 * critic.line.weight.square().sum()

    critic, free = Judge(), Judge()
    settings = dict(steps=50, batch_size=3, lr=0.0, critic_lr=0.02, critic_loss=wasserstein)
    data = lambda n: (torch.full((n, 1), 2.0), torch.tensor([0, 1, 2]))  # noqa: E731
    play(GAN(Sampler(), 1, classes=3), critic, data, penalty=penalty, **settings)
    play(GAN(Sampler(), 1, classes=3), free, data, **settings)
    assert seen[0] == (Judge, (3, 1), (3, 1), [0, 1, 2], False) and len(seen) == 50
    assert abs(critic.line.weight.item()) < 0.1 and free.line.weight.item() > 1


def test_wasserstein_with_a_penalty_at_interpolates_measures_a_distance():
    def at_interpolates(critic, real, fake):
        t = torch.rand(len(real), 1)
        x = torch.lerp(real, fake, t).requires_grad_()
        return (
            50 * (squared_gradient(critic(x), x).sqrt() - 1).relu().square().mean()
        )  # one-sided: no wrong sign is stable

    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, 1), nn.Flatten(0))
    game = play(
        GAN(Shift(0.0), 1),
        critic,
        normal(3.0),
        steps=300,
        lr=0.0,
        critic_lr=0.01,
        betas=(0.0, 0.9),
        batch_size=256,
        critic_loss=wasserstein,
        loss=lambda fake: -fake.mean(),
        penalty=at_interpolates,
    )
    assert -sum(game.critic[-5:]) / 5 == pytest.approx(3.0, abs=0.2)  # W1 between N(0, 1) and N(3, 1)
    gan = GAN(Shift(0.0), 1)
    settings = dict(betas=(0.0, 0.9), critic_loss=wasserstein, loss=lambda fake: -fake.mean(), penalty=at_interpolates)
    play(gan, critic, normal(3.0), steps=300, lr=0.03, critic_steps=2, schedule=lambda t: 1 - t, **settings)
    assert gan.network.shift.item() == pytest.approx(3.0, abs=0.3)


def test_a_critic_with_spectral_norm_needs_nothing_else():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(2))

        def forward(self, z):
            return z + self.shift

    torch.manual_seed(0)
    line = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 1))
    gan, critic = GAN(Two(), 2), nn.Sequential(line, nn.Flatten(0))
    settings = dict(steps=150, lr=0.02, ema=0.9, critic_loss=wasserstein, loss=lambda fake: -fake.mean())
    play(gan, critic, lambda n: torch.tensor([1.0, -1.0]) + torch.randn(n, 2), **settings)
    assert torch.linalg.vector_norm(line.weight).item() == pytest.approx(1, abs=1e-3)
    assert gan.network.shift[0].item() > 0.5 and gan.network.shift[1].item() < -0.5


# The checkpoint of a game


def test_a_game_goes_on_from_its_file_to_the_same_numbers(tmp_path):
    x = scale(torch.from_numpy(digits().train[:64].copy()), 17)
    left = [math.inf]

    def some(n):
        left[0] -= 1
        if left[0] < 0:
            raise MemoryError
        return x[torch.randint(64, (n,))]

    def watch(m, c):
        samples = m.sample(3)
        return samples.numpy(), [float(samples.float().mean())], np.float32(1.5), None, "text", torch.ones(2)

    def once(**more):
        torch.manual_seed(0)
        gan, critic = GAN(ImageSampler(4, width=4), 4), ImageCritic(width=4)
        settings = dict(steps=12, batch_size=8, every=4, penalty=0.1, ema=0.9, watch=watch)
        return gan, critic, play(gan, critic, some, **settings | more)

    whole, judge, game = once()
    file, left[0] = tmp_path / "game.pt", 9
    with pytest.raises(MemoryError):
        once(checkpoint=file)
    left[0] = math.inf
    for _ in range(2):  # the second time there is nothing left to do
        model, critic, resumed = once(checkpoint=file)
        assert torch.equal(weights(whole), weights(model)) and torch.equal(weights(judge), weights(critic))
        assert (resumed.critic, resumed.generator, resumed.steps) == (game.critic, game.generator, game.steps)
        for a, b in zip(resumed.seen, game.seen, strict=True):
            assert (
                type(a[0]) is np.ndarray and np.array_equal(a[0], b[0]) and a[1:5] == b[1:5] and a[5].tolist() == [1, 1]
            )
    with pytest.raises(ValueError, match="belongs to another run: penalty is 0.1 there and 0.2 here"):
        once(checkpoint=file, penalty=0.2)
    with pytest.raises(TypeError, match="a checkpoint holds numbers, text, tensors and arrays, not a object; watch"):
        once(checkpoint=tmp_path / "other.pt", watch=lambda m, c: object())


def test_a_game_on_examples_goes_on_in_the_middle_of_an_epoch(tmp_path):
    left = [math.inf]

    def stops(fake):
        left[0] -= 1
        if left[0] < 0:
            raise MemoryError
        return non_saturating(fake)

    def once(**more):
        gan = GAN(Shift(), 1)
        play(gan, Line(), normal(2.0)(50), steps=12, batch_size=8, every=4, lr=0.1, loss=stops, **more)
        return gan

    whole, left[0] = once(), 9
    with pytest.raises(MemoryError):
        once(checkpoint=tmp_path / "game.pt")
    left[0] = math.inf
    assert torch.equal(weights(once(checkpoint=tmp_path / "game.pt")), weights(whole))


def test_the_critic_of_images_reads_labels_and_hides_the_levels_while_training():
    critic = ImageCritic(width=8, classes=3)
    x, labels = scale(torch.randint(17, (5, 8, 8)), 17), torch.tensor([0, 1, 2, 0, 1])
    nn.init.normal_(critic.label.weight)
    assert critic(x, labels).shape == (5,)
    assert not torch.equal(critic.train()(x, labels), critic(x, labels))
    assert torch.equal(critic.eval()(x, labels), critic(x, labels))
    assert not torch.allclose(critic(x, labels), critic(x, labels.flip(0)))


# The recipe


def test_the_recipe_makes_models_that_sample():
    model = recipe.train(task("ring"), 0, Budget(steps=3))
    assert not model.training and model.sample(5).shape == (5, 2) and interface.kind(model) == "none"
    one, two = (recipe.train(task("digits"), 1, Budget(steps=2)) for _ in range(2))
    assert torch.equal(weights(one), weights(two)) and not one.training
    images = one.sample(7, generator=torch.Generator().manual_seed(0))
    assert images.shape == (7, 8, 8) and images.dtype == torch.int64


@pytest.mark.gpu
def test_processor_and_accelerator_agree():
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    torch.manual_seed(0)
    gan = GAN(ImageSampler(8, width=8, classes=10), 8, classes=10).eval()
    here = gan.sample(20, generator=torch.Generator().manual_seed(0))
    there = gan.cuda().sample(20, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(here, there.cpu(), atol=1e-4)
    critic = ImageCritic(width=8, classes=10).cuda()
    x, labels = torch.randn(64, 8, 8), torch.randint(10, (64,))
    game = play(gan, critic, lambda n: (x[:n], labels[:n]), steps=3, batch_size=16, penalty=0.1, ema=0.9)
    assert math.isfinite(game.critic[-1])


def test_the_critic_stands_still_while_the_sampler_learns():
    critic, seen = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)), []

    def loss(fake):
        seen.append([p.requires_grad for p in critic.parameters()])
        return non_saturating(fake)

    play(GAN(nn.Linear(2, 2), 2), critic, lambda n: torch.randn(n, 2), steps=2, batch_size=4, loss=loss)
    assert seen == [[False, False]] * 2 and all(p.requires_grad for p in critic.parameters())
