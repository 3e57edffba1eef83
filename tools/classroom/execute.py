"""Run a submission in a kernel that nobody trusts, carry its answers out, and write the judge's verdicts into it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import pathlib
import time
from typing import Any

from nbclient.exceptions import CellExecutionComplete
from nbclient.util import run_sync
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import preprocessors as nbg
from traitlets import Bool, Float, Unicode

from tools.classroom import verify
from tools.classroom.layout import Classroom
from tools.classroom.verdict import Mode, Verdict, settle

HELD = 200_000  # characters of output kept for a cell
FLOOD = 20_000_000  # characters after which a cell is stopped
# A kernel has a second name, __mp_main__, under which pickle would look for scipy's ufuncs: it is put aside meanwhile.
CARRY = (
    "(lambda modules, aside: [aside.update({{n: modules.pop(n) for n in ['__mp_main__'] if n in modules}}), "
    "__import__('base64').b64encode(__import__('cloudpickle').dumps({name})).decode(), modules.update(aside)][1])"
    "(__import__('sys').modules, {{}})"
)


class VerifiedExecute(nbg.Execute):
    """Run the notebook, then let a clean process decide about each exercise.

    The kernel belongs to the student: whatever it says about points is not believed. Right after an autograder cell has
    run, the kernel hands over the student's function as bytes. When the notebook is done, `verify.verdicts` questions
    those functions, and an autograder cell counts as passed only if both its own run and the clean process say so.
    """

    root = Unicode(help="the course").tag(config=True)
    private = Unicode(help="folder of the manifests").tag(config=True)
    total = Float(600.0, help="seconds for a whole notebook").tag(config=True)
    check_limit = Float(20.0, help="seconds for one exercise in the clean process").tag(config=True)
    lean = Bool(False, help="run only the first code cell, the exercises, and what the student wrote or changed").tag(
        config=True
    )
    last: dict[str, Any] | None = None  # what happened in the latest run, for the table

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> tuple[NotebookNode, Any]:
        names = resources["nbgrader"]
        self.manifest = json.loads(
            (pathlib.Path(self.private) / f"{names['assignment']}.json").read_text(encoding="utf-8")
        )
        self.tests = {e["test"]: (id, e) for id, e in self.manifest["exercises"].items()}
        self.blobs: dict[str, bytes | None] = {}
        self.ran: dict[str, bool] = {}
        self.gone = ""
        self.began = time.monotonic()
        self.story = {"errors": [], "timeouts": [], "flood": [], "dead": None, "verdicts": {}}
        VerifiedExecute.last = self.story
        self.flooded: dict[int, int] = {}
        self.idle = self._as_released(nb) if self.lean else set()
        whole = "\0".join(c.source for c in nb.cells)
        self.own = hashlib.sha256(
            f"{self.manifest['secret']}\0{names['student']}\0{whole}".encode("utf-8", "surrogatepass")
        ).digest()
        try:
            nb, resources = super().preprocess(nb, resources, km)
        except Exception as error:  # the kernel would not start, or would not end
            self._lose(f"the kernel failed ({type(error).__name__})", None)
        self._decide(nb)
        return nb, resources

    def _as_released(self, nb: NotebookNode) -> set[int]:
        """Places of the code cells, but for the first, that neither earn points nor were changed by the student."""
        public = {c["source"] for c in self.manifest["released"]}
        code = [i for i, c in enumerate(nb.cells) if c.cell_type == "code"]
        return {i for i in code[1:] if nb.cells[i].source in public and "nbgrader" not in nb.cells[i].metadata}

    # -- running

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        if cell.cell_type != "code" or index in self.idle:
            return cell, resources
        test = self.tests.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if not self.gone and time.monotonic() - self.began > self.total:
            self._lose(f"the notebook ran for more than {self.total:g} seconds", index, kill=True)
        if self.gone:
            cell.outputs = []
            return cell, resources
        self.status = "error"
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        except Exception as error:
            kind = type(error).__name__
            stuck = "Timeout" in kind
            if stuck:
                self._note("timeouts", index)
            self._lose("the kernel did not stop when asked to" if stuck else "the kernel died", index, kill=True)
            self.status = "error"
        if self.status == "late" and not self._answers():
            self._lose("the kernel did not stop when asked to", index, kill=True)
        if test is not None:
            id, exercise = test
            self.ran[id] = self.status == "ok"
            self.blobs[id] = None if self.gone else self._carry(exercise["name"])
        return cell, resources

    def on_cell_executed(self, **kwargs: Any) -> None:
        reply, index = kwargs["execute_reply"]["content"], kwargs["cell_index"]
        self.status = reply["status"]
        if reply["status"] == "error":
            self.status = "late" if reply.get("ename") == "CellTimeoutError" else "error"
            if self.status == "late":
                self._note("timeouts", index)
            elif kwargs["cell"].metadata.get("nbgrader", {}).get("grade_id") not in self.tests:
                self.story["errors"].append([index + 1, str(reply.get("ename", ""))[:60]])
        super().on_cell_executed(**kwargs)

    def process_message(self, msg: Any, cell: NotebookNode, cell_index: int) -> Any:
        """Keep what a reader can use of a flood of output, and stop the flood."""
        if msg["msg_type"] in ("stream", "display_data", "execute_result", "update_display_data"):
            content = msg["content"]
            size = len(content.get("text", "")) + sum(len(str(v)) for v in (content.get("data") or {}).values())
            before = self.flooded.get(cell_index, 0)
            self.flooded[cell_index] = before + size
            limit = HELD if msg["msg_type"] == "stream" else 10 * HELD
            if before + size > limit:
                if self._note("flood", cell_index):
                    cell.outputs.append(
                        new_output(
                            "stream", name="stdout", text="\n... more output than anyone can read was left out ...\n"
                        )
                    )
                if before <= FLOOD < before + size and self.km is not None:
                    asyncio.ensure_future(self.km.interrupt_kernel())
                return None
        try:
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception:  # a forged message
            return None

    def _note(self, what: str, index: int) -> bool:
        if index + 1 in self.story[what]:
            return False
        self.story[what].append(index + 1)
        return True

    def _lose(self, why: str, index: int | None, kill: bool = False) -> None:
        if not self.gone:
            self.gone = why
            self.story["dead"] = [None if index is None else index + 1, why]
        if kill and self.km is not None:
            try:
                run_sync(self._kill)()
            except Exception as error:
                self.log.warning("killing a kernel: %s", error)

    async def _kill(self) -> None:
        await self.km.shutdown_kernel(now=True)

    def _answers(self) -> bool:
        """Whether the kernel comes back after an interrupt."""
        return self._ask({"x": "1"}, 5.0) is not None

    def _carry(self, name: str) -> bytes | None:
        reply = self._ask({"x": CARRY.format(name=name)}, min(30.0, float(self.timeout or 30)))
        try:
            text = reply["x"]["data"]["text/plain"]
            return base64.b64decode(text.strip("'"), validate=True)
        except Exception:
            return None

    def _ask(self, expressions: dict[str, str], seconds: float) -> dict | None:
        async def ask() -> dict | None:
            id = self.kc.execute("", silent=True, store_history=False, user_expressions=expressions)
            if asyncio.iscoroutine(id):
                id = await id
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                message = await self.kc.shell_channel.get_msg(timeout=left)
                if message["parent_header"].get("msg_id") == id:
                    return message["content"].get("user_expressions")
            return None

        try:
            return run_sync(ask)()
        except Exception:
            return None

    # -- deciding

    def _decide(self, nb: NotebookNode) -> None:
        jobs = []
        for id, blob in self.blobs.items():
            exercise = self.manifest["exercises"][id]
            if blob is not None:
                own = int.from_bytes(hashlib.sha256(self.own + id.encode()).digest()[:6], "big")
                jobs.append(
                    {
                        "id": id,
                        "blob": base64.b64encode(blob).decode(),
                        "seeds": [exercise["seed"], own],
                        "mode": exercise.get("mode", Mode.APART),
                    }
                )
        env = Classroom(self.root, pathlib.Path(self.private).parent).environment()
        said = verify.verdicts(
            pathlib.Path(self.root), jobs, limit=self.check_limit, preload=self.manifest.get("preload", []), env=env
        )
        for cell in nb.cells:
            id, _ = self.tests.get(cell.metadata.get("nbgrader", {}).get("grade_id"), (None, None))
            if id is None:
                continue
            verdict, text = settle(bool(self.ran.get(id)), said.get(id), self.gone)
            self.story["verdicts"][id] = verdict
            if verdict == Verdict.RIGHT:
                cell.outputs = [new_output("stream", name="stdout", text=f"✓ {id} {text}\n")]
            else:
                cell.outputs = [new_output("error", ename="NotYet", evalue=text, traceback=[f"✗ {id} {text}"])]
