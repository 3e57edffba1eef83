"""Set up ``.venv`` with what the course needs: ``python -m tools.setup``. Only Python itself must be there.

It is also what ``make`` runs the first time. Old Pythons can read it, so that they are told in words what is missing.
"""

import hashlib
import os
import pathlib
import platform
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 11), (3, 14)
INPUTS = ("requirements.txt", "pyproject.toml")


def obstacle(version=None, system=None, machine=None, bits=None):
    """Why the packages cannot be installed with this Python on this machine, in a line; nothing if they can."""
    version = version or sys.version_info[:2]
    system, machine = system or platform.system(), machine or platform.machine()
    bits = bits or 8 * struct.calcsize("P")
    if version < OLDEST:
        return "Python 3.11 or newer is needed; this is {}.{}. Install one, and run this with it".format(*version)
    if version > NEWEST:
        return "there is no PyTorch wheel for Python {}.{} yet; use Python 3.11 to 3.14".format(*version)
    if system == "Darwin" and machine == "x86_64":
        return (
            "there is no PyTorch wheel for Macs with an Intel processor "
            "(on Apple silicon: this Python is an Intel one; install one for which platform.machine() is arm64)"
        )
    if bits != 64:
        return f"this Python has {bits} bits, and PyTorch has wheels for 64 only; install a 64-bit Python"
    return ""


def python(venv):
    """The interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def state(root):
    """A digest of what says which packages are installed."""
    return hashlib.sha256(b"\0".join((root / name).read_bytes() for name in INPUTS)).hexdigest()


def setup(root=ROOT, run=subprocess.call):
    """Make ``.venv`` and install the pinned packages, if that was not done already.

    Returns:
        An error in a line, or nothing.
    """
    venv = root / ".venv"
    ready = venv / ".ready"
    if ready.exists() and ready.read_text(encoding="utf-8") == state(root) and python(venv).exists():
        ready.touch()  # make compares times
        return ""
    problem = obstacle()
    if problem:
        return problem
    if not os.access(str(root), os.W_OK):
        return f"cannot write in {root}; put the course into a folder of your own"
    if not python(venv).exists() and run([sys.executable, "-m", "venv", str(venv)]):
        return "Python could not make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv"
    print("setting up .venv (a minute or two, once)", flush=True)
    pip = [str(python(venv)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    packages, ourselves = ["-r", str(root / INPUTS[0])], ["--no-build-isolation", "--no-deps", "-e", str(root)]
    if run(pip + packages) or run(pip + ourselves):
        return "the packages were not installed; the last lines above say why. This step, once, needs the network"
    ready.write_text(state(root), encoding="utf-8")
    return ""


def main():
    problem = setup()
    if problem:
        sys.exit(problem)
    command = python(pathlib.Path(".venv"))
    print(f"ready: {command} -m tools.build_book makes the book, {command} -m jupyterlab opens JupyterLab")


if __name__ == "__main__":
    main()
