"""A learner's own files: read exactly, and refused with their name and the remedy."""

from __future__ import annotations

import gzip
import io
import pathlib
import struct
import wave
import zlib

import numpy as np
import pytest
from PIL import Image

from genutils.data import Audio, Text, text
from genutils.data.files import Images, own, read_idx


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


RAMP = np.arange(64).reshape(8, 8)
GREY = (4 * RAMP).astype(np.uint8)


def deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits for each of three colours, which Pillow reads and does not write."""
    raw = b"".join(b"\0" + np.repeat(row.astype(">u2")[:, None], 3, 1).tobytes() for row in values)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def pgm(values: np.ndarray, top: int) -> bytes:
    return b"P5\n8 8\n%d\n" % top + values.astype(">u2").tobytes()


def turned() -> bytes:
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    Image.fromarray(GREY).save(out, "PNG", exif=exif)
    return out.getvalue()


def png(image: Image.Image, kind: str = "PNG", **more) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def with_alpha(grey: np.ndarray, alpha: np.ndarray, mode: str) -> Image.Image:
    return Image.merge(mode, [Image.fromarray(grey)] * (len(mode) - 1) + [Image.fromarray(alpha)])


BLACK, HALF = np.zeros((8, 8), np.uint8), np.full((8, 8), 128, np.uint8)
ON_PAPER = 255 - GREY  # black ink, as opaque as GREY says
KINDS = {
    "8 bits": (png(Image.fromarray(GREY)), GREY, 0),
    "1 bit": (png(Image.fromarray(GREY > 127)), 255 * (GREY > 127), 0),
    "4 bits": (png(Image.fromarray(GREY // 16 * 17), bits=4), GREY // 16 * 17, 0),
    "16 bits": (png(Image.fromarray((257 * GREY.astype(int)).astype(np.uint16))), GREY, 0),
    "16 bits, colours": (deep_png(257 * GREY.astype(int)), GREY, 0),
    "16 bits, pgm": (pgm(257 * GREY.astype(int), 65535), GREY, 0),
    "12 bits, pgm": (pgm(RAMP * 65, 4095), RAMP * 65 / 4095 * 255, 1),
    "colours": (png(Image.fromarray(GREY).convert("RGB")), GREY, 0),
    "a palette": (png(Image.fromarray(GREY).convert("P")), GREY, 0),
    "a palette with a hole": (
        png(Image.fromarray(GREY).convert("P"), transparency=8),
        np.where(GREY == 8, 255, GREY),
        0,
    ),
    "a transparent grey": (png(Image.fromarray(GREY), transparency=8), np.where(GREY == 8, 255, GREY), 0),
    "alpha": (png(with_alpha(BLACK, GREY, "RGBA")), ON_PAPER, 1),
    "grey and alpha": (png(with_alpha(BLACK, GREY, "LA")), ON_PAPER, 1),
    "all opaque": (png(with_alpha(GREY, HALF // 128 * 255, "RGBA")), GREY, 0),
    "four inks": (png(Image.fromarray(GREY).convert("RGB").convert("CMYK"), "TIFF"), GREY, 1),
    "Lab": (
        png(Image.merge("LAB", [Image.fromarray(GREY), Image.fromarray(HALF), Image.fromarray(HALF)]), "TIFF"),
        GREY,
        0,
    ),
    "turned by its camera": (turned(), np.rot90(GREY, -1), 0),
}
REFUSED = {
    "several frames": (
        png(Image.fromarray(GREY), "GIF", save_all=True, append_images=[Image.fromarray(255 - GREY)]),
        "2 frames",
    ),
    "pages": (
        png(Image.fromarray(GREY), "TIFF", save_all=True, append_images=[Image.fromarray(GREY)]),
        "2 frames or pages",
    ),
    "32 bits": (png(Image.fromarray(1000 * RAMP.astype(np.int32)), "TIFF"), "32-bit integers of unknown range"),
    "floats": (png(Image.fromarray((RAMP / 64).astype(np.float32)), "TIFF"), "32-bit floats of unknown range"),
    "cut short": (png(Image.fromarray(GREY))[:50], "save it again as PNG"),
}


class TestKindsOfImages:
    def folder(self, path, content, ending=".png"):
        for i in range(10):
            (path / f"{i}{ending}").write_bytes(content)
        (path / "._0.png").write_bytes(b"what macOS leaves beside a file")
        return path

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_grey_that_one_sees(self, tmp_path, kind):
        content, want, off = KINDS[kind]
        got = own(self.folder(tmp_path, content)).train
        assert got.dtype == np.uint8 and len(got) == 8
        assert np.abs(got[0].astype(int) - want).max() <= off

    @pytest.mark.parametrize("kind", REFUSED)
    def test_what_has_no_grey_is_refused_by_name(self, tmp_path, kind):
        content, says = REFUSED[kind]
        with pytest.raises(ValueError, match=rf"0\.tif cannot be read as an image.*{says}"):
            own(self.folder(tmp_path, content, ".tif"))


def riff(
    samples: np.ndarray, data: bytes, width: int, *, kind: int = 1, new: bool = False, extra: bytes = b""
) -> bytes:
    head = struct.pack("<HHIIHH", 0xFFFE if new else kind, 1, 8000, 8000 * width, width, 8 * width)
    if new:
        head += struct.pack("<HHIH", 22, 8 * width, 0, kind) + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + extra + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


WAVE = np.array([0.0, 0.5, -1.0, 0.25, -0.125])
BITS = {
    8: (WAVE * 128 + 128).astype("u1").tobytes(),
    16: (WAVE * 2**15).astype("<i2").tobytes(),
    24: b"".join(int(v * 2**23).to_bytes(3, "little", signed=True) for v in WAVE),
    32: (WAVE * 2.0**31).astype("<i4").tobytes(),
}


class TestKindsOfSounds:
    @pytest.mark.parametrize("new", [False, True], ids=["header", "newer header"])
    @pytest.mark.parametrize("bits", BITS)
    def test_whole_numbers(self, tmp_path, bits, new):
        (tmp_path / "a.wav").write_bytes(riff(WAVE, BITS[bits], bits // 8, new=new, extra=b"LIST\x03\0\0\0abc\0"))
        sound = own(tmp_path / "a.wav")
        assert sound.samples.tolist() == WAVE.tolist() and sound.samples.dtype == np.float32 and sound.rate == 8000

    @pytest.mark.parametrize("width", [4, 8])
    def test_floats(self, tmp_path, width):
        (tmp_path / "a.wav").write_bytes(riff(WAVE, WAVE.astype(f"<f{width}").tobytes(), width, kind=3))
        assert own(tmp_path / "a.wav").samples.tolist() == WAVE.tolist()

    @pytest.mark.parametrize(
        "content, says",
        [
            (riff(WAVE, b"123456", 1, kind=7), "mu-law"),
            (riff(WAVE, b"123456", 2, kind=0x1234), "unknown format 4660"),
            (riff(WAVE, np.array([0.5, np.nan], "<f4").tobytes(), 4, kind=3), "holds nan"),
            (riff(WAVE, np.array([0.5, 3.0], "<f4").tobytes(), 4, kind=3), "holds 3, and full scale is 1"),
            (riff(WAVE, b"1234567890", 5), "40 bits"),
            (riff(WAVE, b"12345678", 2)[:-3], "promises 4 samples and holds 2"),
            (riff(WAVE, b"", 2)[:30], "not an uncompressed"),
            (riff(WAVE, b"", 2)[:36], "it has no data"),
            (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "its data come before their format"),
        ],
    )
    def test_the_others_are_refused_by_name(self, tmp_path, content, says):
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(ValueError, match=rf"a\.wav .*{says}"):
            own(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["folder", "a.txt", "a.wav"])
def test_what_may_not_be_read_is_said_with_the_remedy(tmp_path, monkeypatch, name):
    def stat(path, **kwargs):  # root may read everything: the system's answer is played
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "stat", stat)
    with pytest.raises(PermissionError, match=f"{name} may not be read by you; .*change its permissions|copy it"):
        own(tmp_path / name)
    with pytest.raises(PermissionError, match="may not be read by you"):
        text(tmp_path / name)


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
