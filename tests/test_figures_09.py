"""The live figure of lesson 09 shows the weights and the probabilities that the package computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genutils.decoding import next_probs
from genutils.figures.lesson_09 import look_script, show_attention
from genutils.live import Choice, Slider
from genutils.transformer import Transformer

LINE, ALPHABET = "a cab\nbac", "\n abc"


def found():
    """Attention (2, 2, 9, 9) and logits (9, 5) of a model of no merit."""
    torch.manual_seed(0)
    model = Transformer(levels=5, dims=9, width=8, heads=2)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.5)
        x = torch.tensor([[ALPHABET.index(c) for c in LINE]])
        return model.attention(x)[0].numpy(), model.logits(x)[0].numpy()


def entropy_bits(p: np.ndarray) -> float:
    return float(-(p[p > 0] * np.log2(p[p > 0])).sum())


@pytest.mark.browser
@pytest.mark.parametrize(
    ("read", "temperature", "top_p"), [(0, 1, 1), (3, 0.5, 1), (8, 2, 0.5), (5, 0, 1), (5, 1, 0.7), (8, 1, 0.05)]
)
def test_numbers_agree_with_python(live_page, read, temperature, top_p):
    attention, logits = found()
    controls = (
        Slider("read", "read", 0, 8, 0, 1),
        Choice("head", "head", ["layer 1, head 1", "layer 2, head 2"], "layer 1, head 1"),
        Slider("temperature", "temperature", 0, 2, 1, 0.05),
        Slider("topP", "top-p", 0.05, 1, 1, 0.05),
    )
    page = live_page(controls, look_script(LINE, ALPHABET, attention, logits))
    page.put(read=read, head="layer 2, head 2", temperature=temperature, topP=top_p)
    numbers, rounded = page.numbers(), torch.tensor(np.round(logits[read] - logits[read].max(), 2)).double()
    drawn_from = next_probs(rounded, temperature=temperature, top_p=top_p).numpy()
    assert numbers["entropy of the model's"] == pytest.approx(entropy_bits(rounded.softmax(0).numpy()), abs=1e-6)
    assert numbers["of what is drawn from"] == pytest.approx(entropy_bits(drawn_from), abs=1e-6)
    assert numbers["characters that can come"] == (drawn_from > 0).sum()
    assert numbers["largest weight"] == pytest.approx(attention[1, 1, read].max(), abs=0.005)
    cells = page.tab.locator(".live-chart svg").first.locator("text")
    assert cells.all_text_contents() == list("▸a␣cab⏎ba")


def test_the_script_is_light_and_sees_nothing_later(capsys):
    attention, logits = found()
    script = look_script(LINE, ALPHABET, attention, logits)
    assert '"layer 1, head 1":[[1000],' in script and "</" not in script
    show_attention(LINE, ALPHABET, attention, logits)
    assert "live figure" in capsys.readouterr().out
