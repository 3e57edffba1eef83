"""Sounds of one's own: uncompressed .wav files of 8 to 32 bits, also those whose header is of the newer kind."""

from __future__ import annotations

import pathlib
import struct
from dataclasses import dataclass, field

import numpy as np

WHOLE, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # formats; the last says further down which of the other two it is
OTHERS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x55: "MP3"}


@dataclass(frozen=True)
class Audio:
    """One sound as (n,) float32 in [-1, 1], channels averaged, and its rate in samples per second."""

    samples: np.ndarray = field(repr=False)
    rate: int
    source: str


def sound(path: pathlib.Path) -> Audio:
    """What an uncompressed .wav file holds: whole numbers of 8, 16, 24 or 32 bits, or floats of 32 or 64.

    Raises:
        ValueError: it is none of these, is cut short, or holds what is no sound; names the file and the remedy.

    Source: IBM and Microsoft (1991), RIFF; the header of the newer kind: Microsoft, ``WAVEFORMATEXTENSIBLE``.
    """
    remedy = "export it as 16-bit PCM"
    try:
        kind, channels, rate, width, data, promised = _chunks(path.read_bytes())
    except (struct.error, ValueError) as error:
        raise ValueError(f"{path} is not an uncompressed .wav file ({error}); {remedy}") from error
    if kind not in (WHOLE, FLOAT):
        raise ValueError(
            f"{path} is not an uncompressed .wav file ({OTHERS.get(kind, f'unknown format {kind}')}); {remedy}"
        )
    if width not in ((1, 2, 3, 4) if kind == WHOLE else (4, 8)) or not channels or not rate:
        raise ValueError(
            f"{path} has {channels} channels of {8 * width} bits at {rate} Hz; own() reads whole numbers of 8, 16, 24 "
            f"and 32 bits, and floats of 32 and 64; {remedy}"
        )
    n, frame = promised // (width * channels), width * channels
    if not n or len(data) < n * frame:
        raise ValueError(f"{path} promises {n:,} samples and holds {len(data) // frame:,}; export it again")
    samples = _numbers(data[: n * frame], kind, width).reshape(n, channels).mean(1)
    if not np.isfinite(samples).all() or np.abs(samples).max() > 1:
        worst = samples[~np.isfinite(samples)][0] if not np.isfinite(samples).all() else np.abs(samples).max()
        raise ValueError(f"{path} holds {worst:g}, and full scale is 1; {remedy}, normalised")
    return Audio(samples.astype(np.float32), rate, f"{path}, {n / rate:.2f} seconds at {rate:,} Hz")


def _chunks(file: bytes) -> tuple[int, int, int, int, bytes, int]:
    """Format, channels, rate, bytes a number, the data, and how many bytes of them the header promises."""
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise ValueError(f"it begins with {file[:4].hex(' ')}")
    at, head = 12, None
    while at + 8 <= len(file):
        name, size = file[at : at + 4], struct.unpack_from("<I", file, at + 4)[0]
        body = file[at + 8 : at + 8 + size]
        if name == b"fmt ":
            kind, channels, rate, _, frame, bits = head = struct.unpack_from("<HHIIHH", body)
            if kind == EXTENSIBLE:
                kind = struct.unpack_from("<H", body, 24)[0]
            width = frame // channels if channels else bits // 8
        elif name == b"data":
            if head is None:
                raise ValueError("its data come before their format")
            return kind, channels, rate, width, body, size
        at += 8 + size + size % 2
    raise ValueError("it has no data")


def _numbers(data: bytes, kind: int, width: int) -> np.ndarray:
    """Samples as float64, full scale being 1."""
    if kind == FLOAT:
        return np.frombuffer(data, f"<f{width}").astype(np.float64)
    if width == 1:
        return (np.frombuffer(data, "u1").astype(np.float64) - 128) / 128
    if width == 3:  # numpy has no such numbers: the upper three bytes of four
        three = np.frombuffer(data, "u1").reshape(-1, 3)
        return np.pad(three, ((0, 0), (1, 0))).copy().view("<i4")[:, 0] / 2.0**31
    return np.frombuffer(data, f"<i{width}") / 2.0 ** (8 * width - 1)
