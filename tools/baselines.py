"""Compute the baselines on the digits anew: ``python -m tools.baselines`` writes ``genutils/baselines.json``."""

from genutils import baselines

if __name__ == "__main__":
    baselines.write()
    print(baselines.table())
