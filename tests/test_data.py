"""The data is what the course says it is, and bad files are refused with the remedy."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_images

from genutils import data, densities
from genutils.data import digits, photos, text
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


class TestText:
    def test_the_parts_are_contiguous_and_complete(self):
        from pydoc_data.topics import topics

        t = text()
        whole = t.train + t.validation + t.test
        n = len(whole)
        assert n > 300_000
        for part, share in ((t.train, 0.8), (t.validation, 0.1), (t.test, 0.1)):
            assert abs(len(part) - share * n) <= 1
        assert all(topics[name].strip() in whole for name in topics)
        assert "".join(sorted(set(whole))) == t.alphabet and "CPython" in t.source

    def test_it_is_the_same_each_time_and_says_which_text_it_is(self):
        t = text()
        whole = t.train + t.validation + t.test
        assert f"{len(whole):,} characters" in t.source
        assert hashlib.sha256(whole.encode()).hexdigest()[:12] in t.source

    def test_some_of_the_test_text_was_seen_in_training(self):
        """What the docstring warns of: about a seventh in CPython 3.11, 60 characters or more at a time."""
        t, width = text(), 60
        seen = {t.train[i : i + width] for i in range(len(t.train) - width + 1)}
        hit = np.zeros(len(t.test), dtype=bool)
        for i in range(len(t.test) - width + 1):
            if t.test[i : i + width] in seen:
                hit[i : i + width] = True
        assert 0.05 < hit.mean() < 0.3

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
    code = f"import sys, genutils.data as d; d.digits(); d.text(); {loaded}; d.ring; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_densities_and_sprites_are_the_modules_own():
    assert all(getattr(data, name) is getattr(densities, name) for name in data.DENSITIES)
    assert len(data.DENSITIES) == 5 and data.sprites is sprites


def test_data_sets_are_not_printed_whole():
    for made in (digits(), photos()):
        assert len(repr(made)) < 40


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="no 'rings'.*ring, moons"):
        data.rings  # noqa: B018
