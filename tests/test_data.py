"""The data is what the course says it is, and bad files are refused with the remedy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from genutils import data
from genutils.data import digits, text


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
        assert digits() is digits()


class TestText:
    def test_the_parts_are_contiguous_and_complete(self):
        from pydoc_data.topics import topics

        t = text()
        whole = t.train + t.validation + t.test
        assert len(whole) > 300_000 and 0.79 < len(t.train) / len(whole) < 0.81
        assert all(topics[name].strip() in whole for name in topics)
        assert "".join(sorted(set(whole))) == t.alphabet and "CPython" in t.source

    def test_encoding_is_exact(self):
        t = text()
        ids = t.encode(t.test)
        assert ids.dtype == np.int64 and ids.min() >= 0 and ids.max() < len(t.alphabet)
        assert t.decode(ids) == t.test and t.encode("").shape == (0,)

    def test_an_unknown_character_is_named(self):
        with pytest.raises(ValueError, match="character '漢' at position 2"):
            text().encode("ab漢")

    def test_bad_places_are_named(self):
        with pytest.raises(ValueError, match="decode needs integers"):
            text().decode([10_000])
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
        with pytest.raises(IsADirectoryError, match="is a folder"):
            text(tmp_path)

    def test_another_encoding(self, tmp_path):
        (tmp_path / "latin.txt").write_bytes(b"x" * 2000 + "é".encode("latin-1") + b"x")
        with pytest.raises(ValueError, match="byte 2000 is 0xe9.*Save it again as UTF-8"):
            text(tmp_path / "latin.txt")

    @pytest.mark.parametrize("content", ["", "too short"])
    def test_too_short(self, tmp_path, content):
        (tmp_path / "short.txt").write_text(content)
        with pytest.raises(ValueError, match=f"holds {len(content)} characters.*1,000"):
            text(tmp_path / "short.txt")


def test_torch_is_only_loaded_for_the_densities():
    code = "import sys, genutils.data as d; d.digits(); d.text(); print('torch' in sys.modules); d.ring; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="no 'rings'.*ring, moons"):
        data.rings  # noqa: B018
