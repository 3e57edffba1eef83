"""What every test process and every notebook kernel that it starts inherits."""

import os

os.environ["GENUTILS_PROGRESS"] = "off"  # testing is not learning: a learner's progress.json stays as it is

import genutils  # noqa: E402, F401  (limits the threads: two workers with more would fight)

pytest_plugins = ["tests.units", "tests.one_run"]
