"""One yardstick for all families: train a model on a task with a seed, evaluate it, time it, keep one line of it."""

from genutils.yardstick.results import RESULTS, Line, append, missing, read, rows, table
from genutils.yardstick.runs import count_operations, run

__all__ = ["RESULTS", "Line", "append", "count_operations", "missing", "read", "rows", "run", "table"]
