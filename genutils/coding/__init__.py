"""Entropy coders: bytes whose number is the information of the message.

``huffman_code`` gives every symbol a whole number of bits. ``encode`` and ``decode`` are an arithmetic coder: they give
the whole message one number, so that a symbol may cost a fraction of a bit, under any model that can say how probable
each next symbol is.

Sources: Huffman (1952); the arithmetic coder's are named in its module.
"""

from genutils.coding.arithmetic import TOTAL, decode, encode, ideal_bits, narrow, quantise
from genutils.coding.huffman import PrefixCode, huffman_code, huffman_decode, huffman_encode

__all__ = [
    "TOTAL",
    "PrefixCode",
    "decode",
    "encode",
    "huffman_code",
    "huffman_decode",
    "huffman_encode",
    "ideal_bits",
    "narrow",
    "quantise",
]
