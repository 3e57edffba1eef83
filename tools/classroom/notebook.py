"""What runs a submission's cells, in a process that nobody trusts; each answer is kept in a fork of its own."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from tools.classroom import answer, wire

KEPT = 4096  # bytes of a cell's output, the last ones


class Tail(io.BufferedIOBase):
    """Keeps the end of what is written, and counts."""

    def __init__(self) -> None:
        self.data, self.size = b"", 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        data = bytes(data)
        self.size += len(data)
        self.data = (self.data + data)[-KEPT:]
        return len(data)

    def take(self) -> tuple[str, int]:
        data, size, self.data, self.size = self.data, self.size, b"", 0
        return data.decode("utf-8", "replace"), size


def new_shell() -> Any:
    """An IPython shell as a kernel's, which writes no history and shows everything as text."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.error import UsageError
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Values(DisplayHook):
        def write_output_prompt(self) -> None:
            pass

    class Shell(InteractiveShell):
        raised: tuple[str, str] | None = None

        def enable_gui(self, gui: Any = None) -> None:
            pass

        def ask_exit(self) -> None:  # exit() in a cell
            pass

        def system(self, cmd: str) -> None:  # !command, for which there is no terminal here
            done = subprocess.run(
                self.var_expand(cmd, depth=1),
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            print(done.stdout.decode("utf-8", "replace"), end="")
            self.user_ns["_exit_code"] = done.returncode

        system_piped = system

        def showtraceback(self, exc_tuple: Any = None, *args: Any, **options: Any) -> None:
            kind, error, _ = self._get_exc_info(exc_tuple)
            if issubclass(kind, UsageError | SyntaxError):
                super().showtraceback(exc_tuple, *args, **options)
            else:  # nobody reads the thousand frames of a runaway recursion, which take long to write
                self._showtraceback(kind, error, [])

        def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
            try:
                text = str(evalue)
            except BaseException:
                text = ""
            self.raised = str(etype.__name__), text

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.displayhook_class = Values
    with tempfile.TemporaryDirectory() as folder:  # nothing is kept in it later
        os.environ["IPYTHONDIR"] = folder
        return Shell.instance(config=config)


class Notebook:
    """The process of one submission, on the untrusted end of a line.

    It says ``["cell", at, about]`` after each cell, ``["answer", id, note, again]`` with a line to each answer (where
    ``again`` tells that it is the one that was at its test), and ``["end"]``.
    """

    def __init__(self, line: socket.socket, shell: Any):
        self.line, self.shell, self.late = line, shell, False
        self.tail, self.known = Tail(), {}

    def run(self, plan: list[dict], timeout: float, total: float) -> None:
        """Run the cells of a plan (`plan`), then wait until somebody ends this process.

        Args:
            timeout: seconds for a cell.
            total: seconds after which no further cell is begun.
        """
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stdout = sys.stderr = io.TextIOWrapper(self.tail, "utf-8", "replace", write_through=True)
        until = time.monotonic() + total
        for step in plan:
            if "hold" in step:
                self._hold(step, "")
            elif time.monotonic() < until:
                wire.say(self.line, ["cell", step["at"], self._cell(step, timeout)])
        for step in plan:
            if "hold" in step and (step["late"] or self._find(step)[0] is self.known.get(step["hold"])):
                self._hold(step, "as it was at the end of the notebook")
        wire.say(self.line, ["end"])
        while True:
            time.sleep(3600)

    def _cell(self, step: dict, timeout: float) -> dict:
        if step.get("unless") in self.shell.user_ns:  # an untouched stub below the answer
            return {"kept": True}
        self.shell.raised, self.late = None, False
        with self._alarm(timeout):
            try:
                self.shell.run_cell(step["source"], store_history=True)
            except BaseException as error:
                self.shell.raised = type(error).__name__, str(error)
        text, size = self.tail.take()
        about = {"text": text, "size": size, "late": self.late}
        if self.shell.raised:
            about["error"] = [part[:300] for part in self.shell.raised]
        return about

    @contextlib.contextmanager
    def _alarm(self, seconds: float) -> Iterator[None]:
        def ring(signum: int, frame: Any) -> None:
            self.late = True
            raise KeyboardInterrupt("the time of this cell was up")

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _find(self, step: dict) -> tuple[Any, str]:
        """The answer to an exercise as it is now, and how it was found; None if there is only the lesson's own."""
        names = self.shell.user_ns
        thing = names.get(step["name"])
        own = step["given"] or step["late"] or getattr(thing, "__module__", None) == "__main__"
        if thing is not None and own:
            return thing, ""
        other = step.get("other")
        if other in names:
            return names[other], f"named {other}"
        return None, ""

    def _hold(self, step: dict, note: str) -> None:
        thing, named = self._find(step)
        if thing is None:
            return
        again = self.known.get(step["hold"]) is thing
        self.known[step["hold"]] = thing
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            try:
                answer.alone(theirs)
                sys.stdout = sys.stderr = open(os.devnull, "w")
                answer.Server(theirs, thing).run()
            finally:
                os._exit(0)
        theirs.close()
        wire.say(self.line, ["answer", step["hold"], ", ".join(filter(None, [named, note])), again], ours)
        ours.close()
