"""Wrong and differently written answers to the exercises of lesson 15."""

import math

import numpy as np
import torch
from scipy import spatial, special
from torch.nn import functional as F

from tests.mutants import alternative, mutant

# 15.1 optimal_discriminator


@alternative("15.1")
def optimal_discriminator(log_p, log_q):
    return np.exp(log_p - np.logaddexp(log_p, log_q))


@mutant("15.1", hint="swapped")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return special.expit(log_q - log_p)


@mutant("15.1", hint="is the logit")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return log_p - log_q


@mutant("15.1", hint="0/0")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    p, q = np.exp(log_p), np.exp(log_q)
    return p / (p + q)


@mutant("15.1", hint="those are logarithms")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return log_p / (log_p + log_q)


@mutant("15.1", hint="0/0")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    p, q = np.exp(log_p), np.exp(log_q)
    return p / (p + q + 1e-300)


@alternative("15.1")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return 0.5 * (1 + np.tanh((log_p - log_q) / 2))


@alternative("15.1")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return torch.sigmoid(torch.tensor(log_p) - torch.tensor(log_q))


@alternative("15.1")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    found = []
    for a, b in zip(log_p.tolist(), log_q.tolist(), strict=True):
        found.append(1 / (1 + math.exp(b - a)) if a >= b else math.exp(a - b) / (1 + math.exp(a - b)))
    return found


@mutant("15.1", hint="0/0")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    top = max(log_p.max(), log_q.max())  # of the whole batch, where each point needs its own
    p, q = np.exp(log_p - top), np.exp(log_q - top)
    return p / (p + q)


@mutant("15.1", hint="work on a copy")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    log_p -= log_q
    return special.expit(log_p)


@mutant("15.1", hint="no sum over the batch")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    p, q = np.exp(log_p), np.exp(log_q)
    return p / (p + q).sum()


@mutant("15.1", hint="not half of it")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return special.expit((log_p - log_q) / 2)


@mutant("15.1", hint="the decision")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return log_p > log_q


@mutant("15.1", hint="")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return np.clip(0.5 + (log_p - log_q) / 4, 0, 1)


@mutant("15.1", hint="nearly certain")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    logit = log_p - log_q
    return np.where(np.abs(logit) > 10, (logit > 0).astype(float), special.expit(logit))


@mutant("15.1", hint="all the digits")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return special.expit(log_p.astype(np.float32) - log_q.astype(np.float32))


@mutant("15.1", hint="not powers of 2")
def optimal_discriminator(log_p, log_q):  # noqa: F811
    return 1 / (1 + 2.0 ** (log_q - log_p))


# 15.2 js_reading


@alternative("15.2")
def js_reading(fit, real, fake):
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    loss = -special.log_expit(critic(real[n:])).mean() - special.log_expit(-critic(fake[m:])).mean()
    return math.log(2) - 0.5 * loss


@mutant("15.2", hint="learned by heart")
def js_reading(fit, real, fake):  # noqa: F811
    critic = fit(real, fake)
    loss = np.logaddexp(0, -critic(real)).mean() + np.logaddexp(0, critic(fake)).mean()
    return math.log(2) - loss / 2


@mutant("15.2", hint="two terms")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    return math.log(2) - np.logaddexp(0, -critic(real[n:])).mean() - np.logaddexp(0, critic(fake[m:])).mean()


@mutant("15.2", hint="do not clip")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    loss = np.logaddexp(0, -critic(real[n:])).mean() + np.logaddexp(0, critic(fake[m:])).mean()
    return np.clip(math.log(2) - loss / 2, 0, math.log(2))


@mutant("15.2", hint="logit of 800")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    d_real, d_fake = special.expit(critic(real[n:])), special.expit(critic(fake[m:]))
    return math.log(2) + (np.log(d_real + 1e-12).mean() + np.log(1 - d_fake + 1e-12).mean()) / 2


@mutant("15.2", hint="logit of 800")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    with np.errstate(all="ignore"):
        d_real, d_fake = 1 / (1 + np.exp(-critic(real[n:]))), 1 / (1 + np.exp(-critic(fake[m:])))
        return math.log(2) + (np.log(d_real).mean() + np.log(1 - d_fake).mean()) / 2


@mutant("15.2", hint="not equally many")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    costs = np.concatenate([np.logaddexp(0, -critic(real[n:])), np.logaddexp(0, critic(fake[m:]))])
    return math.log(2) - costs.mean()


@mutant("15.2", hint="bits")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    loss = np.logaddexp(0, -critic(real[n:])).mean() + np.logaddexp(0, critic(fake[m:])).mean()
    return 1 - loss / 2 / math.log(2)


@mutant("15.2", hint="by its own length")
def js_reading(fit, real, fake):  # noqa: F811
    n = min(len(real), len(fake)) // 2
    critic = fit(real[:n], fake[:n])
    loss = np.logaddexp(0, -critic(real[n:])).mean() + np.logaddexp(0, critic(fake[n:])).mean()
    return math.log(2) - loss / 2


@mutant("15.2", hint="*first* halves train")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[n:], fake[m:])
    loss = np.logaddexp(0, -critic(real[:n])).mean() + np.logaddexp(0, critic(fake[:m])).mean()
    return math.log(2) - loss / 2


@mutant("15.2", hint="labels are swapped")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    loss = np.logaddexp(0, critic(real[n:])).mean() + np.logaddexp(0, -critic(fake[m:])).mean()
    return math.log(2) - loss / 2


@mutant("15.2", hint="smaller half")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = (len(real) + 1) // 2, (len(fake) + 1) // 2
    critic = fit(real[:n], fake[:m])
    loss = np.logaddexp(0, -critic(real[n:])).mean() + np.logaddexp(0, critic(fake[m:])).mean()
    return math.log(2) - loss / 2


@alternative("15.2")
def js_reading(fit, real, fake):  # noqa: F811
    critic = fit(real[: len(real) // 2], fake[: len(fake) // 2])
    a, b = torch.tensor(critic(real[len(real) // 2 :])), torch.tensor(critic(fake[len(fake) // 2 :]))
    return math.log(2) - (F.softplus(-a.double()).mean() + F.softplus(b.double()).mean()) / 2


@alternative("15.2")
def js_reading(fit, real, fake):  # noqa: F811
    (a, b), (c, d) = (np.split(x, [len(x) // 2]) for x in (real, fake))
    critic = fit(a, c)

    def cost(u):  # log(1 + exp(u))
        return max(u, 0.0) + math.log1p(math.exp(-abs(u)))

    data, samples = [cost(-u) for u in critic(b)], [cost(u) for u in critic(d)]
    return math.log(2) - sum(data) / len(data) / 2 - sum(samples) / len(samples) / 2


@mutant("15.2", hint="not their difference")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    return math.log(2) - (np.logaddexp(0, -critic(real[n:])).mean() - np.logaddexp(0, critic(fake[m:])).mean()) / 2


@mutant("15.2", hint="call fit once")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    found = []
    for a, b, c, d in ((real[:n], real[n:], fake[:m], fake[m:]), (real[n:], real[:n], fake[m:], fake[:m])):
        critic = fit(a, c)
        found.append(np.logaddexp(0, -critic(b)).mean() + np.logaddexp(0, critic(d)).mean())
    return math.log(2) - np.mean(found) / 2


@mutant("15.2", hint="in the order in which they came")
def js_reading(fit, real, fake):  # noqa: F811
    rng = np.random.default_rng(0)
    real, fake = rng.permutation(real), rng.permutation(fake)
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    loss = np.logaddexp(0, -critic(real[n:])).mean() + np.logaddexp(0, critic(fake[m:])).mean()
    return math.log(2) - loss / 2


@mutant("15.2", hint="logit of 800")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    with np.errstate(all="ignore"):
        loss = np.log1p(np.exp(-critic(real[n:]))).mean() + np.log1p(np.exp(critic(fake[m:]))).mean()
    return math.log(2) - loss / 2


@mutant("15.2", hint="not medians")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    loss = np.median(np.logaddexp(0, -critic(real[n:]))) + np.median(np.logaddexp(0, critic(fake[m:])))
    return math.log(2) - loss / 2


@mutant("15.2", hint="all of them judge")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    data, samples = critic(real[n : 2 * n]), critic(fake[m : 2 * m])
    return math.log(2) - (np.logaddexp(0, -data).mean() + np.logaddexp(0, samples).mean()) / 2


@mutant("15.2", hint="is half of it")
def js_reading(fit, real, fake):  # noqa: F811
    n, m = len(real) // 2, len(fake) // 2
    critic = fit(real[:n], fake[:m])
    loss = np.logaddexp(0, -critic(real[n:])).mean() + np.logaddexp(0, critic(fake[m:])).mean()
    return 2 * math.log(2) - loss


# 15.3 gan_losses


@alternative("15.3")
def gan_losses(real, fake):
    ones, zeros = torch.ones_like, torch.zeros_like
    cost = F.binary_cross_entropy_with_logits
    on_fake = cost(fake, zeros(fake))
    return cost(real, ones(real)) + on_fake, -on_fake, cost(fake, ones(fake))


@mutant("15.3", hint="rounded to 0 or 1")
def gan_losses(real, fake):  # noqa: F811
    d_real, d_fake = torch.sigmoid(real), torch.sigmoid(fake)
    minimax = torch.log(1 - d_fake).mean()
    return -torch.log(d_real).mean() - minimax, minimax, -torch.log(d_fake).mean()


@mutant("15.3", hint="swap the last two")
def gan_losses(real, fake):  # noqa: F811
    return F.softplus(-real).mean() + F.softplus(fake).mean(), F.softplus(-fake).mean(), -F.softplus(fake).mean()


@mutant("15.3", hint="added, not averaged")
def gan_losses(real, fake):  # noqa: F811
    critic = F.softplus(-real).mean() + F.softplus(fake).mean()
    return critic / 2, -F.softplus(fake).mean(), F.softplus(-fake).mean()


@mutant("15.3", hint="help the critic")
def gan_losses(real, fake):  # noqa: F811
    return F.softplus(-real).mean() + F.softplus(fake).mean(), F.softplus(fake).mean(), F.softplus(-fake).mean()


@mutant("15.3", hint="labels are swapped")
def gan_losses(real, fake):  # noqa: F811
    return F.softplus(real).mean() + F.softplus(-fake).mean(), -F.softplus(fake).mean(), F.softplus(-fake).mean()


@mutant("15.3", hint="less* real")
def gan_losses(real, fake):  # noqa: F811
    return F.softplus(-real).mean() + F.softplus(fake).mean(), -F.softplus(fake).mean(), F.softplus(fake).mean()


@mutant("15.3", hint="or a clamp")
def gan_losses(real, fake):  # noqa: F811
    real, fake = real.clamp(-30, 30), fake.clamp(-30, 30)
    return F.softplus(-real).mean() + F.softplus(fake).mean(), -F.softplus(fake).mean(), F.softplus(-fake).mean()


@mutant("15.3", hint="so that gradients flow")
def gan_losses(real, fake):  # noqa: F811
    a, b = real.detach().numpy(), fake.detach().numpy()
    on_fake = np.logaddexp(0, b).mean()
    return np.logaddexp(0, -a).mean() + on_fake, -on_fake, np.logaddexp(0, -b).mean()


@mutant("15.3", hint="second term")
def gan_losses(real, fake):  # noqa: F811
    return F.softplus(-real).mean() - F.softplus(fake).mean(), -F.softplus(fake).mean(), F.softplus(-fake).mean()


@mutant("15.3", hint="not sums")
def gan_losses(real, fake):  # noqa: F811
    return F.softplus(-real).mean() + F.softplus(fake).mean(), -F.softplus(fake).sum(), F.softplus(-fake).sum()


@mutant("15.3", hint="decided in the loop")
def gan_losses(real, fake):  # noqa: F811
    critic = F.softplus(-real).mean() + F.softplus(fake.detach()).mean()
    return critic, -F.softplus(fake).mean(), F.softplus(-fake).mean()


@alternative("15.3")
def gan_losses(real, fake):  # noqa: F811
    minimax = F.logsigmoid(-fake).mean()
    return -F.logsigmoid(real).mean() - minimax, minimax, -F.logsigmoid(fake).mean()


@alternative("15.3")
def gan_losses(real, fake):  # noqa: F811
    def cost(u):  # log(1 + exp(u))
        return (u.clamp_min(0) + torch.log1p(torch.exp(-u.abs()))).sum() / len(u)

    return [cost(-real) + cost(fake), -cost(fake), cost(-fake)]


@mutant("15.3", hint="")
def gan_losses(real, fake):  # noqa: F811
    smooth = 0.9 * F.softplus(-real).mean() + 0.1 * F.softplus(real).mean()  # labels of 0.9
    return smooth + F.softplus(fake).mean(), -F.softplus(fake).mean(), F.softplus(-fake).mean()


@mutant("15.3", hint="")
def gan_losses(real, fake):  # noqa: F811
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean(), -F.softplus(fake).mean(), -fake.mean()  # hinge


@mutant("15.3", hint="")
def gan_losses(real, fake):  # noqa: F811
    def cost(logit):
        return F.softplus(logit, threshold=5).mean()

    return cost(-real) + cost(fake), -cost(fake), cost(-fake)


@alternative("15.3")
def gan_losses(real, fake):  # noqa: F811
    data, sample, failed = F.softplus(-real).mean(), F.softplus(fake).mean(), F.softplus(-fake).mean()
    return torch.stack([data + sample, -sample, failed])


@mutant("15.3", hint="averaged apart")
def gan_losses(real, fake):  # noqa: F811
    both = torch.cat([-real, fake])
    return F.softplus(both).mean(), -F.softplus(fake).mean(), F.softplus(-fake).mean()


# 15.4 gan_step


@alternative("15.4")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):
    critic_optimizer.zero_grad()
    with torch.no_grad():
        fake = sampler(z)
    scores = critic(torch.cat([x, fake]))
    loss = F.softplus(-scores[: len(x)]).mean() + F.softplus(scores[len(x) :]).mean()
    loss.backward()
    critic_optimizer.step()
    for weight in critic.parameters():
        weight.requires_grad_(False)
    sampler_optimizer.zero_grad()
    own = -F.logsigmoid(critic(sampler(z))).mean()
    own.backward()
    sampler_optimizer.step()
    for weight in critic.parameters():
        weight.requires_grad_(True)
    return float(loss.detach()), float(own.detach())


def _critic_turn(sampler, critic, optimizer, x, z, *, detach=True, clear=True):
    fake = sampler(z)
    loss = F.softplus(-critic(x)).mean() + F.softplus(critic(fake.detach() if detach else fake)).mean()
    if clear:
        optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _sampler_turn(sampler, critic, optimizer, z, *, clear=True, minimax=False):
    logit = critic(sampler(z))
    loss = -F.softplus(logit).mean() if minimax else F.softplus(-logit).mean()
    if clear:
        optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@mutant("15.4", hint="detach the samples")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    sampler_optimizer.zero_grad()
    first = _critic_turn(sampler, critic, critic_optimizer, x, z, detach=False)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z, clear=False)


@mutant("15.4", hint="nothing may be detached")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    fake = sampler(z).detach()
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    for weight in critic.parameters():
        weight.requires_grad_(False)
    loss = F.softplus(-critic(fake)).mean()
    loss.backward()
    sampler_optimizer.step()
    return first, loss.item()


@mutant("15.4", hint="the sampler never moves")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    fake = sampler(z).detach()
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    loss = F.softplus(-critic(fake)).mean()
    sampler_optimizer.zero_grad()
    loss.backward()
    sampler_optimizer.step()
    return first, loss.item()


@mutant("15.4", hint="was not cleared")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z, clear=False)
    critic_optimizer.zero_grad()  # too early: the sampler's backward comes after it
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z)


@mutant("15.4", hint="*before* its turn")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    theta = next(iter(sampler.parameters()))
    loss = F.softplus(-critic(sampler(z))).mean()
    (gradient,) = torch.autograd.grad(loss, theta)
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    theta.grad = gradient
    sampler_optimizer.step()
    return first, loss.item()


@mutant("15.4", hint="minimax loss")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z, minimax=True)


@mutant("15.4", hint="critic moves first")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    own = _sampler_turn(sampler, critic, sampler_optimizer, z)
    return _critic_turn(sampler, critic, critic_optimizer, x, z), own


@mutant("15.4", hint="walked twice")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    fake = sampler(z) * torch.ones(1, dtype=z.dtype).exp()
    loss = F.softplus(-critic(x)).mean() + F.softplus(critic(fake)).mean()
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    own = F.softplus(-critic(fake)).mean()
    sampler_optimizer.zero_grad()
    own.backward()
    sampler_optimizer.step()
    return loss.item(), own.item()


@mutant("15.4", hint="critic's loss first")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    return _sampler_turn(sampler, critic, sampler_optimizer, z), first


@alternative("15.4")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    fake = sampler(z)  # one pass of the sampler for both turns; the losses come back as tensors
    first = F.softplus(-critic(x)).mean() + F.softplus(critic(fake.detach())).mean()
    critic_optimizer.zero_grad()
    first.backward()
    critic_optimizer.step()
    own = F.softplus(-critic(fake)).mean()
    sampler_optimizer.zero_grad()
    own.backward()
    sampler_optimizer.step()
    return first, own


@mutant("15.4", hint="pile up")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z, clear=False)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z, clear=False)


@mutant("15.4", hint="critic's gradient piles up")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z, clear=False)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z)


@mutant("15.4", hint="sampler's gradient piles up")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z, clear=False)


def _both_turns(sampler, critic, sampler_optimizer, critic_optimizer, x, z, *, late=False):
    fake = sampler(z)
    first = F.softplus(-critic(x)).mean() + F.softplus(critic(fake.detach())).mean()
    own = F.softplus(-critic(fake)).mean()
    critic_optimizer.zero_grad()
    sampler_optimizer.zero_grad()
    first.backward()
    if late:
        critic_optimizer.step()
    own.backward()
    if not late:
        critic_optimizer.step()
    sampler_optimizer.step()
    return first.item(), own.item()


@mutant("15.4", hint="added to its gradient")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    return _both_turns(sampler, critic, sampler_optimizer, critic_optimizer, x, z)


@mutant("15.4", hint="before the critic moved")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    return _both_turns(sampler, critic, sampler_optimizer, critic_optimizer, x, z, late=True)


@mutant("15.4", hint="added, not averaged")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    loss = (F.softplus(-critic(x)).mean() + F.softplus(critic(sampler(z).detach())).mean()) / 2
    critic_optimizer.zero_grad()
    loss.backward()
    critic_optimizer.step()
    return loss.item(), _sampler_turn(sampler, critic, sampler_optimizer, z)


@mutant("15.4", hint="with the same z")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z.flip(0) + 1)


@mutant("15.4", hint="move twice")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    own = _sampler_turn(sampler, critic, sampler_optimizer, z)
    critic_optimizer.step()
    return first, own


@alternative("15.4")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    losses = []
    for player, optimizer in ((critic, critic_optimizer), (sampler, sampler_optimizer)):
        fake = critic(sampler(z))
        loss = (
            F.softplus(-fake).mean() if player is sampler else F.softplus(-critic(x)).mean() + F.softplus(fake).mean()
        )
        weights = list(player.parameters())
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        optimizer.step()
        losses.append(loss.item())
    return losses


@mutant("15.4", hint="leave them alone")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    sampler.eval()
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z)


@mutant("15.4", hint="must be taken back")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    for weight in critic.parameters():
        weight.requires_grad_(True)
    first = _critic_turn(sampler, critic, critic_optimizer, x, z)
    for weight in critic.parameters():
        weight.requires_grad_(False)
    return first, _sampler_turn(sampler, critic, sampler_optimizer, z)


@mutant("15.4", hint="set the mode back")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    sampler.eval()  # for the critic's turn, and then "back"
    critic_optimizer.zero_grad()
    loss_critic = F.softplus(-critic(x)).mean() + F.softplus(critic(sampler(z).detach())).mean()
    loss_critic.backward()
    critic_optimizer.step()
    sampler.train()
    sampler_optimizer.zero_grad()
    loss_sampler = F.softplus(-critic(sampler(z))).mean()
    loss_sampler.backward()
    sampler_optimizer.step()
    return loss_critic.item(), loss_sampler.item()


@mutant("15.4", hint="leave them alone")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    mode = critic.training
    critic_optimizer.zero_grad()
    loss_critic = F.softplus(-critic(x)).mean() + F.softplus(critic(sampler(z).detach())).mean()
    loss_critic.backward()
    critic_optimizer.step()
    critic.eval()
    sampler_optimizer.zero_grad()
    loss_sampler = F.softplus(-critic(sampler(z))).mean()
    loss_sampler.backward()
    sampler_optimizer.step()
    critic.train(mode)
    return loss_critic.item(), loss_sampler.item()


# 15.5 count_modes


@alternative("15.5")
def count_modes(samples, centres, radius, least=0.1):
    distance, owner = spatial.cKDTree(centres).query(samples)
    held = [int(((owner == k) & (distance <= radius)).sum()) for k in range(len(centres))]
    return sum(h > 0 and h >= least * len(samples) / len(centres) for h in held)


def _counts(samples, centres, radius):
    distance = spatial.distance.cdist(samples, centres)
    return np.bincount(distance.argmin(1)[distance.min(1) <= radius], minlength=len(centres))


@mutant("15.5", hint="stray sample")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return int((_counts(samples, centres, radius) > 0).sum())


@mutant("15.5", hint="B / K, not B")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return int((_counts(samples, centres, radius) >= max(1, least * len(samples))).sum())


@mutant("15.5", hint="nearest")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    counts = (spatial.distance.cdist(samples, centres) <= radius).sum(0)
    return int((counts >= max(1, least * len(samples) / len(centres))).sum())


@mutant("15.5", hint="too far")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return int((_counts(samples, centres, np.inf) >= max(1, least * len(samples) / len(centres))).sum())


@mutant("15.5", hint="without a single sample")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return int((_counts(samples, centres, radius) >= least * len(samples) / len(centres)).sum())


@mutant("15.5", hint="at least, not more")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return int((_counts(samples, centres, radius) > least * len(samples) / len(centres)).sum())


@mutant("15.5", hint="how many of them")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return _counts(samples, centres, radius)


@mutant("15.5", hint="squared")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    distance = spatial.distance.cdist(samples, centres, "sqeuclidean")
    counts = np.bincount(distance.argmin(1)[distance.min(1) <= radius], minlength=len(centres))
    return int((counts >= max(1, least * len(samples) / len(centres))).sum())


@mutant("15.5", hint="belong to no mode")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    counts = _counts(samples, centres, radius)
    return int((counts >= max(1, least * counts.sum() / len(centres))).sum())


@mutant("15.5", hint="round nothing down")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return int((_counts(samples, centres, radius) >= max(1, int(least * len(samples) / len(centres)))).sum())


@alternative("15.5")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    held = [0] * len(centres)
    for sample in samples:
        distances = [math.dist(sample, centre) for centre in centres]
        nearest = min(range(len(centres)), key=distances.__getitem__)
        held[nearest] += distances[nearest] <= radius
    return sum(h >= 1 and h >= least * len(samples) / len(centres) for h in held)


@alternative("15.5")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    distance = torch.cdist(torch.tensor(samples), torch.tensor(centres), compute_mode="donot_use_mm_for_euclid_dist")
    near, owner = distance.min(1)
    held = torch.bincount(owner[near <= radius], minlength=len(centres))
    return ((held > 0) & (held >= least * len(samples) / len(centres))).sum()


@mutant("15.5", hint="exactly the radius")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    distance = spatial.distance.cdist(samples, centres)
    counts = np.bincount(distance.argmin(1)[distance.min(1) < radius], minlength=len(centres))
    return int((counts >= max(1, least * len(samples) / len(centres))).sum())


@mutant("15.5", hint="root of the sum of squares")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    distance = spatial.distance.cdist(samples, centres, "chebyshev")
    counts = np.bincount(distance.argmin(1)[distance.min(1) <= radius], minlength=len(centres))
    return int((counts >= max(1, least * len(samples) / len(centres))).sum())


@mutant("15.5", hint="root of the sum of squares")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    distance = spatial.distance.cdist(samples, centres, "cityblock")
    counts = np.bincount(distance.argmin(1)[distance.min(1) <= radius], minlength=len(centres))
    return int((counts >= max(1, least * len(samples) / len(centres))).sum())


@mutant("15.5", hint="not the first two")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    distance = spatial.distance.cdist(samples[:, :2], centres[:, :2])
    inside = distance.min(1) <= radius
    counts = np.bincount(distance.argmin(1)[inside], minlength=len(centres))
    return int((counts >= max(1, least * len(samples) / len(centres))).sum())


# 15.6 slerp


@alternative("15.6")
def slerp(z0, z1, t):
    found = []
    for a, b in zip(z0, z1, strict=True):
        one, two = a / np.linalg.norm(a), b / np.linalg.norm(b)
        omega = 2 * math.atan2(np.linalg.norm(one - two), np.linalg.norm(one + two))
        if math.sin(omega) < 1e-9:
            found.append((1 - t) * a + t * b)
        else:
            found.append((math.sin((1 - t) * omega) * a + math.sin(t * omega) * b) / math.sin(omega))
    return np.array(found)


def _angle(z0, z1):
    cosine = (z0 * z1).sum(1) / np.linalg.norm(z0, axis=1) / np.linalg.norm(z1, axis=1)
    return np.arccos(np.clip(cosine, -1, 1))[:, None]


@mutant("15.6", hint="straight line")
def slerp(z0, z1, t):  # noqa: F811
    return (1 - t) * z0 + t * z1


@mutant("15.6", hint="point the same way")
def slerp(z0, z1, t):  # noqa: F811
    with np.errstate(all="ignore"):
        omega = _angle(z0, z1)
        return (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)


@mutant("15.6", hint="t = 0 is z0")
def slerp(z0, z1, t):  # noqa: F811
    omega = _angle(z0, z1)
    return (np.sin(t * omega) * z0 + np.sin((1 - t) * omega) * z1) / np.sin(omega)


@mutant("15.6", hint="divide the inner product")
def slerp(z0, z1, t):  # noqa: F811
    with np.errstate(all="ignore"):
        omega = np.arccos(10 + (z0 * z1).sum(1) ** 2)[:, None]
        return (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)


@mutant("15.6", hint="constant rate")
def slerp(z0, z1, t):  # noqa: F811
    line = (1 - t) * z0 + t * z1
    return line / np.linalg.norm(line, axis=1, keepdims=True) * np.linalg.norm(z0, axis=1, keepdims=True)


@mutant("15.6", hint="keep their lengths")
def slerp(z0, z1, t):  # noqa: F811
    omega = _angle(z0, z1)
    a, b = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (z0, z1))
    return (np.sin((1 - t) * omega) * a + np.sin(t * omega) * b) / np.sin(omega)


@mutant("15.6", hint="row by row, with np.where")
def slerp(z0, z1, t):  # noqa: F811
    omega = _angle(z0, z1)
    if (np.sin(omega) < 1e-6).any():
        return (1 - t) * z0 + t * z1
    return (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)


@mutant("15.6", hint="axis=1")
def slerp(z0, z1, t):  # noqa: F811
    cosine = (z0 * z1).sum(1) / np.linalg.norm(z0) / np.linalg.norm(z1)
    omega = np.arccos(np.clip(cosine, -1, 1))[:, None]
    return (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)


@mutant("15.6", hint="clip it")
def slerp(z0, z1, t):  # noqa: F811
    with np.errstate(all="ignore"):
        cosine = (z0 * z1).sum(1) / np.linalg.norm(z0, axis=1) / np.linalg.norm(z1, axis=1)
        omega = np.arccos(cosine)[:, None]
        turned = (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)
        return np.where(np.sin(omega) < 1e-6, (1 - t) * z0 + t * z1, turned)


@alternative("15.6")
def slerp(z0, z1, t):  # noqa: F811
    omega = _angle(z0, z1)
    whole = np.sinc(omega / np.pi)  # sin(omega) / omega, which is 1 at 0
    return ((1 - t) * np.sinc((1 - t) * omega / np.pi) * z0 + t * np.sinc(t * omega / np.pi) * z1) / whole


@alternative("15.6")
def slerp(z0, z1, t):  # noqa: F811
    a, b = torch.tensor(z0), torch.tensor(z1)
    omega = torch.cosine_similarity(a, b, dim=1).clamp(-1, 1).acos()[:, None]
    near = omega.sin() < 1e-6
    sine = torch.where(near, torch.ones_like(omega), omega.sin())
    turned = (((1 - t) * omega).sin() * a + (t * omega).sin() * b) / sine
    return torch.where(near, torch.lerp(a, b, t), turned)


@mutant("15.6", hint="work on a copy")
def slerp(z0, z1, t):  # noqa: F811
    omega = _angle(z0, z1)
    same = np.sin(omega) < 1e-6
    sine = np.where(same, 1, np.sin(omega))
    z0 *= np.where(same, 1 - t, np.sin((1 - t) * omega) / sine)
    return z0 + np.where(same, t, np.sin(t * omega) / sine) * z1


@mutant("15.6", hint="row by row")
def slerp(z0, z1, t):  # noqa: F811
    cosine = (z0 * z1).sum() / np.sqrt((z0 * z0).sum() * (z1 * z1).sum())
    omega = np.full((len(z0), 1), np.arccos(np.clip(cosine, -1, 1)))
    return (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)


@mutant("15.6", hint="")
def slerp(z0, z1, t):  # noqa: F811
    return np.sqrt(1 - t) * z0 + np.sqrt(t) * z1  # keeps the variance, and turns at no constant rate


@mutant("15.6", hint="the *same* way")
def slerp(z0, z1, t):  # noqa: F811
    lengths = np.linalg.norm(z0, axis=1) * np.linalg.norm(z1, axis=1)
    omega = np.arccos(np.clip((z0 * z1).sum(1) / lengths, -1, 1))[:, None]
    straight = (1 - t) * z0 + t * z1
    return np.where(omega < 0.05, straight, (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega))


@mutant("15.6", hint="the division by sin(omega)")
def slerp(z0, z1, t):  # noqa: F811
    omega = _angle(z0, z1)
    return np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1


@mutant("15.6", hint="an angle of its own")
def slerp(z0, z1, t):  # noqa: F811
    one, two = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (z0, z1))
    omega = np.arccos(np.clip((one * two).sum(), -1, 1))
    with np.errstate(all="ignore"):
        return (np.sin((1 - t) * omega) * z0 + np.sin(t * omega) * z1) / np.sin(omega)


# 15.7 corrected_mean


@alternative("15.7")
def corrected_mean(f, logits):
    share = special.softmax(logits)
    return np.dot(share, f), 1 / np.dot(share, share)


@mutant("15.7", hint="subtract the largest")
def corrected_mean(f, logits):  # noqa: F811
    with np.errstate(all="ignore"):
        w = np.exp(logits)
        return (w * f).sum() / w.sum(), w.sum() ** 2 / (w**2).sum()


@mutant("15.7", hint="weights are D")
def corrected_mean(f, logits):  # noqa: F811
    w = special.expit(logits)
    return (w * f).sum() / w.sum(), w.sum() ** 2 / (w**2).sum()


@mutant("15.7", hint="upside down")
def corrected_mean(f, logits):  # noqa: F811
    share = special.softmax(-logits)
    return np.dot(share, f), 1 / np.dot(share, share)


@mutant("15.7", hint="1 only in theory")
def corrected_mean(f, logits):  # noqa: F811
    w = np.exp(logits)
    return (w * f).mean(), w.sum() ** 2 / (w**2).sum()


@mutant("15.7", hint="share of n")
def corrected_mean(f, logits):  # noqa: F811
    share = special.softmax(logits)
    return np.dot(share, f), 1 / np.dot(share, share) / len(f)


@mutant("15.7", hint="own average")
def corrected_mean(f, logits):  # noqa: F811
    share = special.softmax(logits)
    return f.mean(), 1 / np.dot(share, share)


@mutant("15.7", hint="not by n")
def corrected_mean(f, logits):  # noqa: F811
    w = np.exp(logits - logits.max())
    return (w * f).mean(), w.sum() ** 2 / (w**2).sum()


@alternative("15.7")
def corrected_mean(f, logits):  # noqa: F811
    top = max(logits.tolist())
    w = [math.exp(u - top) for u in logits.tolist()]
    total = math.fsum(w)
    return [math.fsum(a * b for a, b in zip(w, f, strict=True)) / total, total**2 / math.fsum(a * a for a in w)]


@alternative("15.7")
def corrected_mean(f, logits):  # noqa: F811
    logits = torch.tensor(logits)
    share = torch.exp(logits - torch.logsumexp(logits, 0))
    return torch.stack([(share * torch.tensor(f)).sum(), torch.exp(-torch.logsumexp(2 * share.log(), 0))])


@mutant("15.7", hint="work on a copy")
def corrected_mean(f, logits):  # noqa: F811
    logits -= logits.max()
    w = np.exp(logits)
    return (w * f).sum() / w.sum(), w.sum() ** 2 / (w**2).sum()


@mutant("15.7", hint="entropy")
def corrected_mean(f, logits):  # noqa: F811
    share = special.softmax(logits)
    return np.dot(share, f), np.exp(special.entr(share).sum())


@mutant("15.7", hint="counts the samples")
def corrected_mean(f, logits):  # noqa: F811
    return np.dot(special.softmax(logits), f), len(f)


@mutant("15.7", hint="")
def corrected_mean(f, logits):  # noqa: F811
    w = np.minimum(np.exp(np.minimum(logits - logits.min(), 700)), 50.0)  # weights that are cut off
    return (w * f).sum() / w.sum(), w.sum() ** 2 / (w**2).sum()


@mutant("15.3", hint="")
def gan_losses(real, fake):  # noqa: F811
    return F.softplus(-real).mean() + F.softplus(fake).mean(), F.softplus(-fake).mean()  # the third is forgotten


@mutant("15.3", hint="no detach, item or numpy")
def gan_losses(real, fake):  # noqa: F811
    on_fake = F.softplus(fake).mean()
    return F.softplus(-real).mean() + on_fake, -on_fake.detach(), F.softplus(-fake).mean()


@mutant("15.4", hint="step the critic's optimizer, too")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    first = F.softplus(-critic(x)).mean() + F.softplus(critic(sampler(z).detach())).mean()
    return first.item(), _sampler_turn(sampler, critic, sampler_optimizer, z)


@mutant("15.4", hint="the sampler never moves")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    return _critic_turn(sampler, critic, critic_optimizer, x, z), F.softplus(-critic(sampler(z))).mean().item()


@mutant("15.4", hint="wrong already")
def gan_step(sampler, critic, sampler_optimizer, critic_optimizer, x, z):  # noqa: F811
    critic_optimizer.zero_grad()
    first = F.softplus(-critic(x)).sum() + F.softplus(critic(sampler(z).detach())).sum()
    first.backward()
    critic_optimizer.step()
    return first.item(), _sampler_turn(sampler, critic, sampler_optimizer, z)


@mutant("15.5", hint="not divided by K")
def count_modes(samples, centres, radius, least=0.1):  # noqa: F811
    return float((_counts(samples, centres, radius) >= max(1, least * len(samples) / len(centres))).mean())
