"""The live figure of lesson 11: its pitches are those of the notes it was given, and its sounds are those notes."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch

from genutils import mulaw
from genutils.figures.lesson_11 import KEYS, play_keyboard, play_script
from genutils.live import Choice, Keys
from genutils.strings import Strings

WHO = ("the network", "the string")


def notes():
    strings, labels = Strings(), torch.arange(8)
    x = {
        who: strings.sample(8, labels, length=1500, loudness=0.4, generator=torch.Generator().manual_seed(i))
        for i, who in enumerate(WHO)
    }
    return x, strings


def pitch(levels, rate):
    """By autocorrelation over 28 ... 66 samples, refined by a parabola, as in the page."""
    w = mulaw.decode(levels, 64).double().numpy()
    like = {k: w[k:] @ w[:-k] for k in range(27, 68)}
    k = max(range(28, 67), key=like.get)
    a, b, c = like[k - 1], like[k], like[k + 1]
    return rate / (k + 0.5 * (a - c) / (a - 2 * b + c))


@pytest.fixture
def page(live_page):
    x, strings = notes()
    controls = (Keys("key", "press a key", KEYS, "C"), Choice("who", "who plays", WHO, WHO[0]))
    return live_page(controls, play_script(x, strings.pitches, strings.rate))


@pytest.mark.browser
def test_numbers_agree_with_python_and_a_key_plays_its_note(page):
    x, strings = notes()
    page.tab.evaluate(
        "window.heard = []; window.Audio = class { constructor(uri) { heard.push(String(uri)); } play() {} }; 0"
    )
    for who, key in ((WHO[0], "C"), (WHO[1], "G"), (WHO[1], "c")):
        page.put(who=who)
        page.tab.click(f'button[data-sets="{key}"]')
        found, k = page.numbers(), KEYS.index(key)
        assert found["asked"] == pytest.approx(strings.pitches[k].item(), abs=0.01)
        assert found["measured"] == pytest.approx(pitch(x[who][k], strings.rate), rel=1e-6)
        cents = 1200 * np.log2(found["measured"] / found["asked"])
        assert found["off by"] == pytest.approx(cents, abs=1e-6)
    assert page.tab.locator('button[aria-pressed="true"]').all_inner_texts() == ["c"]
    sounds = [base64.b64decode(uri.removeprefix("data:audio/wav;base64,")) for uri in page.tab.evaluate("heard")]
    assert len(sounds) == 3  # one for each press, none for the list
    file = np.frombuffer(sounds[1], dtype=np.uint8)
    w = mulaw.decode(x[WHO[1]][KEYS.index("G")], 64).numpy()
    assert bytes(file[:4]) == b"RIFF" and bytes(file[8:12]) == b"WAVE" and len(file) == 44 + 1500
    assert int.from_bytes(bytes(file[24:28]), "little") == strings.rate
    assert np.abs(file[44:1300].astype(float) - np.clip(128 + 250 * w[:1256], 0, 255)).max() <= 0.51


def test_a_note_takes_a_character_a_sample(capsys):
    x, strings = notes()
    script = play_script(x, strings.pitches, strings.rate)
    assert 16 * 1500 < len(script) < 16 * 1500 + 6000
    play_keyboard(x, strings.pitches, strings.rate)
    assert "live figure" in capsys.readouterr().out
