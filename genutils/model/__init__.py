"""What a model can answer is its type: all models sample; `genutils.kinds.Kind` says what else there is to ask.

Classical models (mixtures, kernel densities, PPCA) take and give numpy arrays in float64; neural ones take and give
tensors. What stands here works for both.
"""

from genutils.model.dequantized import Dequantized, dequantize, quantize
from genutils.model.evaluation import Evaluation, answers, as_array, evaluate
from genutils.model.interface import Model, kind, one_each, unwrapped
from genutils.model.units import bits_per_dim, nats_per_example

__all__ = [
    "Dequantized",
    "Evaluation",
    "Model",
    "answers",
    "as_array",
    "bits_per_dim",
    "dequantize",
    "evaluate",
    "kind",
    "nats_per_example",
    "one_each",
    "quantize",
    "unwrapped",
]
