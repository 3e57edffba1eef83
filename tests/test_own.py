"""A learner's own files: read exactly, and refused with their name and the remedy."""

from __future__ import annotations

import gzip
import struct
import wave

import numpy as np
import pytest
from PIL import Image

from genutils.data import Text
from genutils.data.files import Audio, Images, own, read_idx


def idx(array: np.ndarray) -> bytes:
    codes = {"uint8": 8, "int16": 11, "float32": 13}
    head = bytes([0, 0, codes[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def mnist(tmp_path):
    rng = np.random.default_rng(0)
    for part, n in (("train", 60), ("t10k", 10)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(n, dtype=np.uint8) % 10)))
    return tmp_path


class TestIDX:
    @pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
    def test_reads_what_was_written(self, tmp_path, dtype):
        array = np.arange(24).reshape(2, 3, 4).astype(dtype)
        (tmp_path / "a").write_bytes(idx(array))
        back = read_idx(tmp_path / "a")
        assert back.dtype == array.dtype and np.array_equal(back, array)

    def test_nothing_is_read_as_nothing(self, tmp_path):
        (tmp_path / "a").write_bytes(idx(np.zeros((0, 3), np.uint8)))
        assert read_idx(tmp_path / "a").shape == (0, 3)

    @pytest.mark.parametrize(
        "change, words",
        [
            (lambda b: b[:-3], r"is cut short: its header \(4, 14, 14\) asks for 784 bytes and 781 follow"),
            (lambda b: b[:6], "do not hold its header"),
            (lambda b: b[:4], "4 bytes do not hold its header"),
            (lambda b: b + b"\0", "is too long"),
            (lambda b: b"PNG!" + b[4:], "is not an IDX file: it begins with 50 4e 47 21"),
            (lambda b: b"", "is not an IDX file"),
            (lambda b: gzip.compress(b)[:-9], "damaged gzip"),
        ],
        ids=["truncated", "no header", "none at all", "too long", "wrong magic", "empty", "cut gzip"],
    )
    def test_a_damaged_file_is_named(self, tmp_path, change, words):
        file = tmp_path / "train-images-idx3-ubyte"
        file.write_bytes(change(idx(np.zeros((4, 14, 14), np.uint8))))
        with pytest.raises(ValueError, match=words) as info:
            read_idx(file)
        assert str(file) in str(info.value)

    def test_a_gigantic_header_is_refused_without_taking_the_memory(self, tmp_path):
        (tmp_path / "a").write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *[2**32 - 1] * 3))
        with pytest.raises(ValueError, match="is cut short"):
            read_idx(tmp_path / "a")


class TestMNIST:
    def test_the_parts(self, mnist):
        data = own(mnist)
        assert isinstance(data, Images) and data.levels == 256
        assert [x.shape for x in (data.train, data.validation, data.test)] == [
            (50, 28, 28),
            (10, 28, 28),
            (10, 28, 28),
        ]
        assert data.train_labels.tolist() == [i % 10 for i in range(50)] and len(data.test_labels) == 10

    def test_a_missing_companion_is_named(self, mnist):
        (mnist / "t10k-labels-idx1-ubyte.gz").unlink()
        with pytest.raises(FileNotFoundError, match="but not t10k-labels-idx1-ubyte"):
            own(mnist)

    def test_labels_that_do_not_match_are_named(self, mnist):
        (mnist / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(59, np.uint8))))
        with pytest.raises(ValueError, match=r"\(60, 28, 28\) uint8 and \(59,\)"):
            own(mnist)


class TestImages:
    def save(self, folder, n=20, size=(6, 4)):
        for i in range(n):
            Image.fromarray(np.full((size[1], size[0], 3), i, np.uint8)).save(folder / f"{i:03d}.png")

    def test_a_folder_is_split_the_same_way_every_time(self, tmp_path):
        self.save(tmp_path)
        (tmp_path / "notes.txt").write_text("not an image")
        a, b = own(tmp_path), own(tmp_path)
        assert (len(a.train), len(a.validation), len(a.test)) == (16, 2, 2) and a.train.shape[1:] == (4, 6)
        assert np.array_equal(a.test, b.test)
        seen = np.concatenate([a.train, a.validation, a.test])[:, 0, 0]
        assert sorted(seen.tolist()) == list(range(20)) and seen.tolist() != list(range(20))

    def test_another_size_is_named(self, tmp_path):
        self.save(tmp_path)
        Image.new("L", (9, 9)).save(tmp_path / "zz.png")
        with pytest.raises(ValueError, match=r"zz\.png is 9 x 9 pixels and 000\.png is 6 x 4"):
            own(tmp_path)

    def test_a_file_that_is_no_image_is_named(self, tmp_path):
        self.save(tmp_path)
        (tmp_path / "broken.png").write_bytes(b"not a picture")
        with pytest.raises(ValueError, match=r"broken\.png cannot be read as an image"):
            own(tmp_path)

    def test_too_few(self, tmp_path):
        with pytest.raises(ValueError, match="holds 0 images; own.. needs at least 10"):
            own(tmp_path)


class TestSound:
    def save(self, file, samples, width=2, channels=1):
        with wave.open(str(file), "wb") as out:
            out.setnchannels(channels), out.setsampwidth(width), out.setframerate(8000)
            out.writeframes(np.asarray(samples).tobytes())
        return file

    def test_sixteen_bits(self, tmp_path):
        sound = own(self.save(tmp_path / "a.wav", np.array([0, 16384, -32768], "<i2")))
        assert isinstance(sound, Audio) and sound.rate == 8000 and sound.samples.tolist() == [0.0, 0.5, -1.0]

    def test_eight_bits_and_two_channels(self, tmp_path):
        assert own(self.save(tmp_path / "a.wav", np.array([128, 192, 0], "u1"), 1)).samples.tolist() == [
            0.0,
            0.5,
            -1.0,
        ]
        stereo = self.save(tmp_path / "b.wav", np.array([0, 16384, 16384, 16384], "<i2"), channels=2)
        assert own(stereo).samples.tolist() == [0.25, 0.5]

    def test_what_is_no_wav_is_named(self, tmp_path):
        (tmp_path / "a.wav").write_bytes(b"ID3 this is an mp3")
        with pytest.raises(ValueError, match=r"a\.wav is not an uncompressed .wav file"):
            own(tmp_path / "a.wav")

    def test_an_empty_one_is_named(self, tmp_path):
        with pytest.raises(ValueError, match="promises 0 samples"):
            own(self.save(tmp_path / "a.wav", np.array([], "<i2")))


class TestOthers:
    def test_a_text(self, tmp_path):
        (tmp_path / "a.txt").write_text("to be or not to be " * 100)
        assert isinstance(own(tmp_path / "a.txt"), Text)

    def test_nothing_there(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="there is nothing at .*absent.*own.. reads a folder of images"):
            own(tmp_path / "absent")

    def test_an_unknown_ending(self, tmp_path):
        (tmp_path / "a.mp3").write_bytes(b"x")
        with pytest.raises(ValueError, match=r"ends in '\.mp3'"):
            own(tmp_path / "a.mp3")
        (tmp_path / "a.png").write_bytes(b"x")
        with pytest.raises(ValueError, match="is one image"):
            own(tmp_path / "a.png")
