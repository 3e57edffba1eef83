"""``make yardstick``: train every family on every data set, one line per finished run, then the table. It resumes."""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

from genutils import yardstick
from genutils.recipes import MINUTE, RECIPES, Budget
from genutils.tasks import TASKS


def main() -> None:
    sys.stdout.reconfigure(errors="replace")  # a terminal may not know ± and the circles
    parser = argparse.ArgumentParser(prog="make yardstick", description=__doc__)
    parser.add_argument("--models", default=" ".join(RECIPES))
    parser.add_argument("--data", default=" ".join(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=MINUTE.seconds, help="of training, on the reference core")
    parser.add_argument("--out", type=pathlib.Path, default=yardstick.RESULTS)
    given = parser.parse_args()
    models, data = given.models.split(), given.data.split()
    try:
        budget = Budget(seconds=given.seconds)
        todo = yardstick.missing(models, data, given.seeds, given.out, budget)
        print(f"{len(todo)} runs to do, about {budget} of one core each; what is done stands in {given.out}")
        for number, (model, name, seed) in enumerate(todo, 1):
            clock = time.perf_counter()
            line = yardstick.run(model, name, seed, budget)
            yardstick.append(given.out, line)
            value = "" if line.value is None else f" {line.value:.4f} {line.unit}"
            took = time.perf_counter() - clock
            print(f"{number}/{len(todo)} {model} on {name}, seed {seed}: {line.kind}{value}, {took:.0f} s", flush=True)
    except (ValueError, ImportError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here")
    lines = [x for x in yardstick.read(given.out) if x.model in models and x.data in data and x.seed < given.seeds]
    if lines:
        print(yardstick.table(lines))


if __name__ == "__main__":
    main()
