"""``make yardstick``: train every family on every data set, one line per finished run, then the table. It resumes."""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

from genutils import yardstick

OUT = pathlib.Path("_build/yardstick.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make yardstick", description=__doc__)
    parser.add_argument("--models", default=" ".join(yardstick.MODELS))
    parser.add_argument("--data", default=" ".join(yardstick.DATA))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    given = parser.parse_args()
    models, data = given.models.split(), given.data.split()
    try:
        todo = yardstick.missing(models, data, given.seeds, given.out)
        print(f"{len(todo)} runs to do, about a minute of one core each; what is done stands in {given.out}")
        for number, (model, name, seed) in enumerate(todo, 1):
            clock = time.perf_counter()
            line = yardstick.run(model, name, seed)
            yardstick.append(given.out, line)
            value = "" if line.value is None else f" {line.value:.4f} {line.unit}"
            took = time.perf_counter() - clock
            print(f"{number}/{len(todo)} {model} on {name}, seed {seed}: {line.kind}{value}, {took:.0f} s", flush=True)
    except ValueError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here")
    lines = [x for x in yardstick.read(given.out) if x.model in models and x.data in data and x.seed < given.seeds]
    if lines:
        print(yardstick.table(lines))


if __name__ == "__main__":
    main()
