"""Throughput and overhead of genutils.coding: python tools/bench_codec.py"""

import json
import time

import numpy as np

from genutils.coding import decode, encode, huffman_code, huffman_decode, huffman_encode, ideal_bits


def best(function, *args, repeats=3):
    """The shortest of a few times in seconds, and the result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function(*args)
        times.append(time.perf_counter() - start)
    return min(times), result


def measure(n=1_000_000, adaptive=10_000):
    """Symbols per second of the coders, and bits beyond -log2 p(message) (negative: rounding up tiny probabilities).

    Args:
        n: symbols under a fixed distribution, for alphabets of 64 (like text) and 256 (like bytes).
        adaptive: symbols under a callable that learns the frequencies.
    """
    start = time.perf_counter()
    decode(encode([0], [1.0]), 1, [1.0])
    report = {"first_call_s": round(time.perf_counter() - start, 2), "symbols": n}
    rng = np.random.default_rng(0)
    for alphabet in (64, 256):
        p = rng.dirichlet(np.full(alphabet, 0.5))
        message = rng.choice(alphabet, n, p=p)
        code = huffman_code(p)
        seconds_in, data = best(encode, message, p)
        seconds_out, back = best(decode, data, n, p)
        huffman_in, huffman_data = best(huffman_encode, message, code)
        huffman_out, huffman_back = best(huffman_decode, huffman_data, n, code)
        assert np.array_equal(back, message) and np.array_equal(huffman_back, message)
        ideal = ideal_bits(message, p)
        report[f"alphabet_{alphabet}"] = {
            "encode_symbols_per_s": round(n / seconds_in),
            "decode_symbols_per_s": round(n / seconds_out),
            "bits_per_symbol": round(ideal / n, 4),
            "overhead_bits_with_padding": round(8 * len(data) - ideal, 2),
            "huffman_encode_symbols_per_s": round(n / huffman_in),
            "huffman_decode_symbols_per_s": round(n / huffman_out),
            "huffman_overhead_bits": round(8 * len(huffman_data) - ideal),
        }
    seen = {}

    def frequencies(prefix):
        """Laplace's rule; counts are kept between calls, as a recurrent model keeps its state."""
        if len(prefix) == 0:
            seen["counts"] = np.ones(64)
        else:
            seen["counts"][prefix[-1]] += 1
        return seen["counts"] / (len(prefix) + 64)

    message = rng.integers(0, 64, adaptive)
    seconds_in, data = best(encode, message, frequencies, repeats=1)
    seconds_out, back = best(decode, data, adaptive, frequencies, repeats=1)
    assert np.array_equal(back, message)
    report["callable_64"] = {
        "encode_symbols_per_s": round(adaptive / seconds_in),
        "decode_symbols_per_s": round(adaptive / seconds_out),
        "overhead_bits_with_padding": round(8 * len(data) - ideal_bits(message, frequencies), 2),
    }
    return report


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
