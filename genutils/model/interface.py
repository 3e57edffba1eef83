"""What every model offers, and what it says about itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from genutils.kinds import ANSWERS, Kind


class Model:
    """A model of data x. A subclass defines ``sample`` and the strongest answer it can give about an x.

    - ``sample(n, labels=None, *, generator=None)`` gives n independent samples.
    - ``log_prob(x, labels=None)`` is the exact log-density (or log-probability) of each example: (B,) nats, summed over
      dimensions.
    - ``elbo(x, labels=None, *, generator=None)`` gives a lower bound on it, or an unbiased estimate of one: (B,) nats.
    - ``log_prob_estimate(x, labels=None, *, generator=None)`` gives a `genutils.kinds.Estimate` of it.
    - ``energy(x, labels=None)`` gives (B,) nats: ``log p(x) = -energy(x) - log Z``, and log Z is not known.

    Asking for what a model cannot answer raises an AttributeError that says why: ``why`` is the reason.

    ``labels`` are (B,) whole numbers 0 ... ``classes`` - 1, one for each example, and turn p(x) into p(x given the
    label). Without them, and for an example whose label is -1, the answer is about p(x), the mixture of all classes. A
    model without classes refuses labels.

    Attributes:
        classes: how many labels the model knows; None where it knows of none.

    >>> class Coin(Model):
    ...     why = "it only tosses"
    >>> Coin().log_prob
    Traceback (most recent call last):
    AttributeError: a Coin has no log_prob: it only tosses. It can answer: sample
    """

    why: str = ""
    classes: int | None = None

    def sample(self, n: int, labels: Any = None, *, generator: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must say how to sample")

    def parameter_count(self) -> int:
        """How many numbers were learned: the trainable parameters, unless a model counts otherwise."""
        parameters = getattr(self, "parameters", None)
        return sum(p.numel() for p in parameters() if p.requires_grad) if parameters else 0

    def __getattr__(self, name: str) -> Any:
        if name in ANSWERS:
            able = [a for a in ("sample", *ANSWERS) if hasattr(type(self), a)]
            why = self.why or ANSWERS[name].lacking
            raise AttributeError(f"a {type(self).__name__} has no {name}: {why}. It can answer: {', '.join(able)}")
        above = getattr(super(), "__getattr__", None)  # torch.nn.Module keeps its parameters behind one
        if above is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return above(name)

    def _refuse(self, labels: Any) -> None:
        if labels is not None:
            raise ValueError(f"this {type(self).__name__} was made without classes; ask without labels")

    def _labels(self, labels: Any, n: int) -> Any:
        """``labels`` as whole numbers for n examples, or None; ValueError says what they should be."""
        if labels is None:
            return None
        if self.classes is None:
            self._refuse(labels)
        labels = labels if hasattr(labels, "shape") else np.asarray(labels)
        wanted = f"labels are {n} whole numbers 0 ... {self.classes - 1}, one for each example, or -1 for any"
        if tuple(labels.shape) != (n,):
            raise ValueError(f"{wanted}; these have shape {tuple(labels.shape)}")
        if not n:
            return labels
        low, high = labels.min().item(), labels.max().item()
        if "float" in str(labels.dtype) or not -1 <= low <= high < self.classes:
            raise ValueError(f"{wanted}; these are {labels.dtype} from {low} to {high}")
        return labels


def one_each(values: Any, n: int, what: str = "log_prob") -> Any:
    """What a model says of n examples, if it is one number for each, (n,).

    Raises:
        ValueError: it has another shape, and arithmetic with it would broadcast without a word; says which.
    """
    shape = tuple(getattr(values, "shape", ()))
    if shape != (n,):
        raise ValueError(
            f"{what} must be one number for each of {n} examples, of shape ({n},); its shape is {shape}. Sum over the "
            "dimensions of an example (torch.distributions.Independent does)"
        )
    return values


def unwrapped(model: Any, until: type | None = None) -> Any:
    """The model inside torch's wrappers (``torch.compile``, ``DataParallel``, averaged weights), or itself.

    Args:
        until: stop at the first of this type.

    >>> unwrapped("a model of your own")
    'a model of your own'
    """
    while type(model).__module__.startswith("torch.") and not (until and isinstance(model, until)):
        inside = vars(model).get("_modules", {})
        inner = inside.get("_orig_mod", inside.get("module"))
        if inner is None:
            break
        model = inner
    return model


def kind(model: Any) -> Kind:
    """The strongest answer that a model has a method for, wrapped by torch or not: a `genutils.kinds.Kind`.

    A `Kind` equals its word: ``kind(model) == "exact"``.

    >>> print(kind(Model()))
    none
    """
    model = type(unwrapped(model))
    return next((kind for name, kind in ANSWERS.items() if hasattr(model, name)), Kind.NONE)
