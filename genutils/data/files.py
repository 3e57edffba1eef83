"""Data of your own: a folder of images, a text file, a sound, or MNIST. Errors name the file and the remedy."""

from __future__ import annotations

import gzip
import os
import pathlib
import struct
import wave
import zlib
from dataclasses import dataclass, field

import numpy as np

from genutils.data.corpus import Text, text

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
WANTED = (
    "a folder of images of one size, a folder with MNIST's IDX files (train-images-idx3-ubyte and its companions, "
    "gzipped or not), a UTF-8 .txt file, or an uncompressed .wav file"
)
_IDX = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@dataclass(frozen=True)
class Images:
    """Grey images (N, H, W) uint8 with 256 levels, in three parts; labels (N,) where the files have them."""

    train: np.ndarray = field(repr=False)
    validation: np.ndarray = field(repr=False)
    test: np.ndarray = field(repr=False)
    source: str
    train_labels: np.ndarray | None = field(default=None, repr=False)
    validation_labels: np.ndarray | None = field(default=None, repr=False)
    test_labels: np.ndarray | None = field(default=None, repr=False)
    levels: int = 256


@dataclass(frozen=True)
class Audio:
    """One sound as (n,) float32 in [-1, 1), channels averaged, and its rate in samples per second."""

    samples: np.ndarray = field(repr=False)
    rate: int
    source: str


def own(path: str | os.PathLike) -> Images | Text | Audio:
    """A learner's own data, recognised by what lies at ``path``.

    A folder of images is put in an order that depends only on the file names and split 80 / 10 / 10. MNIST's files keep
    their own test set; the last sixth of their training set becomes the validation set.

    Args:
        path: a folder of images of one size, a folder with MNIST's IDX files, a ``.txt`` file, or a PCM ``.wav`` file.

    Returns:
        `Images`, `genutils.data.Text` or `Audio`.

    Raises:
        FileNotFoundError, PermissionError, ValueError: names the file, the expected format, and what to do.
    """
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"there is nothing at {path} (looked in {pathlib.Path.cwd()}); own() reads {WANTED}")
    if path.is_dir():
        names = {p.name.removesuffix(".gz") for p in path.iterdir()}
        if names & {name for pair in _IDX.values() for name in pair}:
            return _mnist(path)
        return _folder(path)
    if path.suffix.lower() == ".wav":
        return _sound(path)
    if path.suffix.lower() in IMAGES:
        raise ValueError(f"{path} is one image; own() reads {WANTED}. Put the images into a folder and name the folder")
    if path.suffix.lower() in (".txt", ".md", ".csv", ".py", ".rst", ".tex"):
        return text(path)
    raise ValueError(f"{path} ends in {path.suffix or 'nothing'!r}; own() reads {WANTED}")


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """The array in an IDX file, gzipped or not (the format of MNIST).

    Raises:
        ValueError: the file does not begin as IDX files do, is cut short, or holds more than its header says.

    Source: LeCun, Cortes and Burges, the MNIST database (format description).
    """
    path = pathlib.Path(path)
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is a damaged gzip file ({error}); get it again") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_TYPES or not data[3]:
        raise ValueError(
            f"{path} is not an IDX file: it begins with {data[:4].hex(' ')}, not with 00 00, a type and a rank"
        )
    rank, dtype = data[3], np.dtype(_IDX_TYPES[data[2]])
    if len(data) < 4 + 4 * rank:
        raise ValueError(f"{path} is cut short: {len(data)} bytes do not hold its header; get it again")
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    expected, found = int(np.prod(shape, dtype=object)) * dtype.itemsize, len(data) - 4 - 4 * rank
    if found != expected:
        what = "is cut short" if found < expected else "is too long"
        raise ValueError(
            f"{path} {what}: its header {shape} asks for {expected:,} bytes and {found:,} follow; get it again"
        )
    return np.frombuffer(data, dtype, offset=4 + 4 * rank).reshape(shape).astype(dtype.newbyteorder("="))


def _mnist(folder: pathlib.Path) -> Images:
    arrays = {}
    for part, names in _IDX.items():
        for kind, name in zip(("images", "labels"), names, strict=True):
            found = [p for p in (folder / name, folder / f"{name}.gz") if p.exists()]
            if not found:
                raise FileNotFoundError(
                    f"{folder} holds some of MNIST's files but not {name} (or {name}.gz); put it there, too"
                )
            arrays[part, kind] = read_idx(found[0])
        images, labels = arrays[part, "images"], arrays[part, "labels"]
        if images.ndim != 3 or images.dtype != np.uint8 or labels.shape != images.shape[:1]:
            raise ValueError(
                f"{folder / names[0]} must hold (N, H, W) bytes and {names[1]} N labels; they hold {images.shape} "
                f"{images.dtype} and {labels.shape}"
            )
    images, labels = arrays["train", "images"], arrays["train", "labels"]
    cut = len(images) - len(images) // 6
    source = f"{folder}, {len(images):,} + {len(arrays['test', 'images']):,} images"
    return Images(
        images[:cut],
        images[cut:],
        arrays["test", "images"],
        source,
        labels[:cut],
        labels[cut:],
        arrays["test", "labels"],
    )


def _folder(folder: pathlib.Path) -> Images:
    from PIL import Image, UnidentifiedImageError

    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES)
    if len(files) < 10:
        raise ValueError(f"{folder} holds {len(files)} images; own() needs at least 10, and reads {WANTED}")
    pixels, size = [], None
    for file in files:
        try:
            with Image.open(file) as image:
                pixels.append(np.asarray(image.convert("L")))
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise ValueError(
                f"{file} cannot be read as an image ({error}); remove it, or save it again as PNG"
            ) from error
        size = size or pixels[0].shape
        if pixels[-1].shape != size:
            (h, w), (h0, w0) = pixels[-1].shape, size
            raise ValueError(
                f"{file} is {w} x {h} pixels and {files[0].name} is {w0} x {h0}; bring all images to one size"
            )
    order = np.random.default_rng(0).permutation(len(files))  # names often go by class: mix them, always the same way
    images = np.stack(pixels)[order]
    a, b = int(0.8 * len(images)), int(0.9 * len(images))
    return Images(images[:a], images[a:b], images[b:], f"{folder}, {len(images):,} images of {size[1]} x {size[0]}")


def _sound(path: pathlib.Path) -> Audio:
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, n = (
                file.getnchannels(),
                file.getsampwidth(),
                file.getframerate(),
                file.getnframes(),
            )
            data = file.readframes(n)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is not an uncompressed .wav file ({error}); export it as 16-bit PCM") from error
    if width not in (1, 2, 4):
        raise ValueError(f"{path} has {8 * width} bits a sample; own() reads 8, 16 and 32; export it as 16-bit PCM")
    if not n or len(data) < n * channels * width:
        raise ValueError(
            f"{path} promises {n:,} samples and holds {len(data) // (channels * width):,}; export it again"
        )
    samples = np.frombuffer(data, {1: "u1", 2: "<i2", 4: "<i4"}[width]).astype(np.float64).reshape(-1, channels).mean(1)
    samples = (samples - 128) / 128 if width == 1 else samples / 2.0 ** (8 * width - 1)
    return Audio(samples.astype(np.float32), rate, f"{path}, {len(samples) / rate:.2f} seconds at {rate:,} Hz")
