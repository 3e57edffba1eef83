"""One yardstick for all families: train a model on a task with a seed, evaluate it, time it, keep one line of it."""

from genutils.yardstick.counting import count_operations, operations
from genutils.yardstick.results import RESULTS, Line, append, missing, read, rows, table
from genutils.yardstick.runs import run

__all__ = ["RESULTS", "Line", "append", "count_operations", "missing", "operations", "read", "rows", "run", "table"]
