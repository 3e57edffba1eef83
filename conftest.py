"""What every test process and every notebook kernel that it starts inherits."""

import os

os.environ["GENUTILS_PROGRESS"] = "off"  # testing is not learning: a learner's progress.json stays as it is
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers with more threads would fight

pytest_plugins = ["tests.units", "tests.one_run"]
