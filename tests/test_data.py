"""The data is what the course says it is, and bad files are refused with the remedy."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_images

from genutils import data, densities
from genutils.data import corpus, digits, photos, text
from genutils.ngram import NGram
from genutils.sprites import sprites


class TestDigits:
    def test_the_split_is_by_row_in_order(self):
        d, images, labels = digits(), load_digits().images, load_digits().target
        assert np.array_equal(np.concatenate([d.train, d.validation, d.test]), images)
        assert np.array_equal(np.concatenate([d.train_labels, d.validation_labels, d.test_labels]), labels)
        assert (len(d.train), len(d.validation), len(d.test)) == (1000, 350, 447)

    def test_levels(self):
        d = digits()
        assert d.levels == 17 and d.train.dtype == np.uint8 and (d.train.min(), d.train.max()) == (0, 16)

    def test_nobody_can_change_it_for_the_others(self):
        with pytest.raises(ValueError, match="read-only"):
            digits().train[0, 0, 0] = 1
        with pytest.raises(ValueError, match="read-only"):
            digits().test_labels[0] = 1
        with pytest.raises(dataclasses.FrozenInstanceError):
            digits().train = None
        assert digits() is digits()


class TestPhotos:
    @pytest.mark.parametrize("size", [2, 7, 8, 16, 32])
    def test_the_parts_are_the_strips_and_share_no_pixel(self, size):
        """Each patch is cut from where it should be, found by marking every pixel of the photographs."""
        p = photos(size, colour=True)
        assert p.levels == 256 and p.train.dtype == np.uint8
        seen = dict.fromkeys(("train", "validation", "test"), 0)
        for image in load_sample_images().images:
            for left in range(0, 640, 160):
                for name, a, b in (("train", 0, 96), ("validation", 96, 128), ("test", 128, 160)):
                    for top in range(0, 427 - size + 1, size):
                        for x in range(left + a, left + b - size + 1, size):
                            cut = getattr(p, name)[seen[name]]
                            assert np.array_equal(cut, image[top : top + size, x : x + size])
                            seen[name] += 1
        assert seen == {name: len(getattr(p, name)) for name in seen}

    def test_grey_is_the_luma(self):
        colour, grey = photos(8, colour=True), photos()
        assert grey.train.shape == (5088, 8, 8) and grey.validation.shape == grey.test.shape == (1696, 8, 8)
        luma = colour.test.astype(float) @ np.array([0.299, 0.587, 0.114])
        assert np.abs(luma - grey.test).max() <= 0.5 + 1e-9
        assert grey.train.min() <= 5 and grey.train.max() >= 250

    def test_each_part_sees_the_whole_scene(self):
        parts = [x.astype(float) for x in (photos().train, photos().validation, photos().test)]
        assert np.ptp([x.mean() for x in parts]) < 25 and np.ptp([x.std() for x in parts]) < 15

    def test_nobody_can_change_it_for_the_others(self):
        with pytest.raises(ValueError, match="read-only"):
            photos().train[0, 0, 0] = 1
        with pytest.raises(dataclasses.FrozenInstanceError):
            photos().train = None
        assert photos() is photos()

    @pytest.mark.parametrize("size", [1, 33, 0, -8, 8.0, True, "8", None])
    def test_a_size_out_of_range_is_refused(self, size):
        with pytest.raises(ValueError, match=r"whole number 2 \.\.\. 32 .*; it is"):
            photos(size)

    def test_colour_is_a_truth_value(self):
        with pytest.raises(ValueError, match="colour is True or False; it is 'rgb'"):
            photos(8, "rgb")


PROSE = (
    "One sentence that is long enough to be taken for prose, as it has a capital at its beginning, "
    "a full stop at its end, and no formulas."
)


class TestText:
    def test_it_is_the_same_text_everywhere(self):
        """Whatever the Python or the platform: the installed package is the pinned one, and so are the characters."""
        t = text()
        whole = t.train + t.validation + t.test
        assert hashlib.sha256(whole.encode()).hexdigest() == (
            "f954d49f52dd243490881a8fcdec6de838ac81c14513e2555a8ed48acb85cf6b"
        )
        assert t.source == "documentation of scipy 1.17.1, 622,832 characters, sha256 f954d49f52dd" and t is text()
        pins = (pathlib.Path(__file__).parents[1] / "requirements.txt").read_text(encoding="utf-8")
        assert f"\n{corpus.PACKAGE}=={corpus.VERSION} " in pins

    def test_it_is_prose(self):
        t = text()
        whole = t.train + t.validation + t.test
        paragraphs = whole.split("\n\n")
        assert len(whole) > 600_000 and paragraphs.pop() == "" and len(set(paragraphs)) == len(paragraphs) > 2000
        assert all(len(p) >= 120 and p[0].isupper() and p[-1] == "." and "\n" not in p for p in paragraphs)
        letters = sum(c.isalpha() or c == " " for c in whole) / len(whole)
        assert letters > 0.95 and len(t.alphabet) < 100 and t.alphabet == "".join(sorted(set(whole)))
        assert sum(not c.isascii() for c in whole) > 0  # bits per character and per byte differ

    def test_the_parts_are_four_fifths_a_tenth_and_a_tenth_and_alike(self):
        t = text()
        n = len(t.train) + len(t.validation) + len(t.test)
        for part, share in ((t.train, 0.8), (t.validation, 0.1), (t.test, 0.1)):
            assert abs(len(part) / n - share) < 0.002
            for subject in ("statistic", "matrix", "filter", "interpol", "minimi", "integra", "cluster", "sparse"):
                assert part.lower().count(subject) > 5 * share, subject
        model = NGram(t.encode(t.train), symbols=len(t.alphabet), context=3)
        bits = [model.surprise(t.encode(part)).mean() / np.log(2) for part in (t.validation, t.test)]
        assert abs(bits[0] - bits[1]) < 0.1

    def test_next_to_nothing_of_the_test_text_was_seen_in_training(self):
        t, width = text(), 60
        seen = {t.train[i : i + width] for i in range(len(t.train) - width + 1)}
        hit = np.zeros(len(t.test), dtype=bool)
        for i in range(len(t.test) - width + 1):
            if t.test[i : i + width] in seen:
                hit[i : i + width] = True
        assert hit.mean() < 0.02

    @pytest.fixture
    def installed(self, monkeypatch, tmp_path):
        """A package of the right name and version, but with one docstring; text() forgets what it read before."""
        (tmp_path / "scipy" / "stats" / "tests").mkdir(parents=True)
        file = tmp_path / "scipy" / "__init__.py"
        file.write_text("")
        (tmp_path / "scipy" / "stats" / "a.py").write_bytes(f'def f():\r\n    r"""{PROSE}"""\r\n'.encode())
        (tmp_path / "scipy" / "stats" / "tests" / "b.py").write_text(f'"""{PROSE.upper()}"""')
        (tmp_path / "scipy" / "__config__.py").write_text(f'"""{PROSE.upper()}"""')
        found = importlib.machinery.ModuleSpec("scipy", None, origin=str(file))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
        corpus._documentation.cache_clear()
        yield tmp_path / "scipy"
        corpus._documentation.cache_clear()

    def test_public_subpackages_without_tests_are_read_whatever_their_line_ends(self, installed):
        assert list(corpus._docstrings(installed)) == [f"    {PROSE}"]

    def test_a_package_that_was_changed_is_refused(self, installed):
        with pytest.raises(ImportError, match=r"scipy 1\.17\.1.*was changed: run .pip install .*scipy==1\.17\.1"):
            text()

    def test_another_version_is_refused(self, installed, monkeypatch):
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.16.0")
        with pytest.raises(
            ImportError, match=r"scipy 1\.17\.1, and version 1\.16\.0 is installed.*run .pip install .*=="
        ):
            text()

    def test_a_missing_package_is_named(self, installed, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(
            ModuleNotFoundError, match=r"scipy 1\.17\.1, which is not installed: run .*file of your own"
        ):
            text()

    def test_what_counts_as_prose(self):
        words = "words that go on and on so that the paragraph has the length that is asked of one that is taken"
        docstring = f"""Take the `first` paragraph, which is beside the quotes: {words},
    for :func:`~numpy.exp` as for ``np.log`` and *others* [1]_.

    Parameters
    ----------
    x : array_like
        Take the description too: {words}, and
        more {words}.

    Leave what ends without a full stop: {words}

    leave what has no capital: {words}.

    Leave :math:`\\alpha` and other formulas: {words}.

    .. [1] A. Author
        Leave the title of a book: {words}.

    - an item
      Leave what hangs below it: {words}.

    >>> Leave code: {words}.

    Leave what is short.
    """
        assert list(corpus._paragraphs("    " + docstring)) == [
            f"Take the first paragraph, which is beside the quotes: {words}, "
            "for numpy.exp as for np.log and others [1].",
            f"Take the description too: {words}, and more {words}.",
        ]

    def test_what_repeats_is_left_out(self):
        first, second, seen = "".join(f"a{i} " for i in range(99)), "".join(f"b{i} " for i in range(99)), set()
        assert corpus._is_new(first, seen) and corpus._is_new(second, seen)
        assert not corpus._is_new("Other words first, and then " + second[30:90], seen)
        assert corpus._is_new("Other words first, and then " + second[30:60], seen)

    def test_encoding_is_exact(self):
        t = text()
        ids = t.encode(t.test)
        assert ids.dtype == np.int64 and ids.min() >= 0 and ids.max() < len(t.alphabet)
        assert t.decode(ids) == t.test and t.encode("").shape == (0,)

    def test_an_unknown_character_is_named(self):
        with pytest.raises(ValueError, match="character '漢' at position 2"):
            text().encode("ab漢")
        with pytest.raises(ValueError, match="at position 1 is not among"):
            text().encode("a\ud800")
        with pytest.raises(TypeError, match="takes a str, not bytes"):
            text().encode(b"ab")

    def test_bad_places_are_named(self):
        with pytest.raises(ValueError, match=r"decode needs integers 0 \.\.\. \d+; ids\[1\] = 10000"):
            text().decode([0, 10_000])
        with pytest.raises(ValueError, match=r"ids\[0\] = -1"):
            text().decode([-1])
        with pytest.raises(ValueError, match=r"of \(1, 2\)"):
            text().decode([[0, 1]])
        with pytest.raises(ValueError, match="float64"):
            text().decode([0.5])


class TestOwnText:
    def test_a_file_of_ones_own(self, tmp_path):
        file = tmp_path / "mine.txt"
        file.write_bytes("\ufeffGrüße, 漢字\r\n".encode() * 200)
        t = text(file)
        assert t.train.startswith("Grüße") and "\r" not in t.alphabet and "mine.txt" in t.source
        assert t.decode(t.encode(t.test)) == t.test

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="there is no file .*absent.txt.*UTF-8"):
            text(tmp_path / "absent.txt")

    def test_a_folder(self, tmp_path):
        with pytest.raises(IsADirectoryError, match="is a folder.*UTF-8.*name one file"):
            text(tmp_path)

    @pytest.mark.timeout(10)
    def test_a_pipe_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ValueError, match="pipe is not an ordinary file"):
            text(tmp_path / "pipe")

    def test_line_ends_become_newlines(self, tmp_path):
        (tmp_path / "old.txt").write_bytes(b"one\rtwo\r\nthree\n" * 100)
        t = text(tmp_path / "old.txt")
        assert t.train.startswith("one\ntwo\nthree\none") and "\r" not in t.alphabet

    def test_another_encoding(self, tmp_path):
        (tmp_path / "latin.txt").write_bytes(b"x" * 2000 + "é".encode("latin-1") + b"x")
        with pytest.raises(ValueError, match="latin.txt is not UTF-8: byte 2000 is 0xe9.*save it again as UTF-8"):
            text(tmp_path / "latin.txt")

    def test_the_byte_is_counted_from_the_start_of_the_file(self, tmp_path):
        (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbf" + b"x" * 1500 + b"\xff")
        with pytest.raises(ValueError, match="byte 1503 is 0xff"):
            text(tmp_path / "marked.txt")

    def test_utf_16_is_not_taken_for_text_with_holes(self, tmp_path):
        (tmp_path / "wide.txt").write_bytes(("hello " * 500).encode("utf-16-le"))
        with pytest.raises(ValueError, match="byte 1 is 0x00.*if it is UTF-16, save it again as UTF-8"):
            text(tmp_path / "wide.txt")

    @pytest.mark.parametrize(
        "content, why", [("", "is empty"), ("too short", "holds 9 characters"), ("x" * 999, "999")]
    )
    def test_too_short(self, tmp_path, content, why):
        (tmp_path / "short.txt").write_text(content)
        with pytest.raises(ValueError, match=f"short.txt.*{why}.*1,000.*choose a longer one"):
            text(tmp_path / "short.txt")


def test_torch_is_only_loaded_for_the_densities():
    loaded = "print('torch' in sys.modules)"
    code = "import sys, genutils.data as d; d.text(); print('scipy' in sys.modules); "
    code += f"d.digits(); {loaded}; d.ring; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]  # and text() reads scipy without importing it


def test_densities_and_sprites_are_the_modules_own():
    assert all(getattr(data, name) is getattr(densities, name) for name in data.DENSITIES)
    assert len(data.DENSITIES) == 5 and data.sprites is sprites


def test_data_sets_are_not_printed_whole():
    for made in (digits(), photos()):
        assert len(repr(made)) < 40


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="no 'rings'.*ring, moons"):
        data.rings  # noqa: B018
