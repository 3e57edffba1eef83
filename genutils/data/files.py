"""Data of your own: a folder of images, a text file, a sound, or MNIST. Errors name the file and the remedy."""

from __future__ import annotations

import gzip
import os
import pathlib
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genutils.data.corpus import Text, text
from genutils.data.sound import Audio, sound

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


def own(path: str | os.PathLike) -> Images | Text | Audio:
    """A learner's own data, recognised by what lies at ``path``.

    A folder of images is put in an order that depends only on the file names and split 80 / 10 / 10. Colours become
    grey, 16 bits become 8, what is transparent shows white paper, and a photograph is turned as its camera says (EXIF).
    What has no one grey in 0 ... 255 is refused: several frames, numbers of 32 bits, whose range nobody knows. MNIST's
    files keep their own test set; the last sixth of their training set becomes the validation set. The channels of a
    sound are averaged.

    Args:
        path: a folder of images of one size, a folder with MNIST's IDX files, a ``.txt`` file, or an uncompressed
            ``.wav`` file of 8 to 32 bits.

    Returns:
        `Images`, `genutils.data.Text` or `Audio`.

    Raises:
        FileNotFoundError, PermissionError, ValueError: names the file, the expected format, and what to do.
    """
    path = pathlib.Path(path).expanduser()
    try:
        return _own(path)
    except PermissionError as error:
        raise PermissionError(
            f"{error.filename or path} may not be read by you; change its permissions, or copy it. own() reads {WANTED}"
        ) from error


def _own(path: pathlib.Path) -> Images | Text | Audio:
    if not path.exists():
        raise FileNotFoundError(f"there is nothing at {path} (looked in {pathlib.Path.cwd()}); own() reads {WANTED}")
    if path.is_dir():
        names = {p.name.removesuffix(".gz") for p in path.iterdir()}
        if names & {name for pair in _IDX.values() for name in pair}:
            return _mnist(path)
        return _folder(path)
    if path.suffix.lower() == ".wav":
        return sound(path)
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
    from PIL import Image

    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES and not p.name.startswith("."))
    if len(files) < 10:
        raise ValueError(f"{folder} holds {len(files)} images; own() needs at least 10, and reads {WANTED}")
    pixels, size = [], None
    for file in files:
        try:
            with Image.open(file) as image:
                pixels.append(_grey(image))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
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


def _grey(image: Any) -> np.ndarray:
    """(H, W) uint8 of an open image, as one sees it on white paper; ValueError if there is no such thing."""
    from PIL import Image, ImageOps

    if (frames := getattr(image, "n_frames", 1)) > 1:
        raise ValueError(f"it holds {frames} frames or pages, and own() wants one")
    sixteen = image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))
    image = ImageOps.exif_transpose(image)
    if sixteen:
        values = np.asarray(image).astype(np.float64)
        if values.max(initial=0) > 65_535 or values.min(initial=0) < 0:
            raise ValueError("its numbers do not fit in 16 bits")
        return np.rint(values * (255 / 65_535)).astype(np.uint8)  # convert would cut them off at 255
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are 32-bit {'floats' if image.mode == 'F' else 'integers'} of unknown range")
    if "A" in image.mode.removeprefix("LAB") or "a" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"))
    return np.asarray(image.convert("L"))
