"""What a submission can reach while it is graded: nothing of this machine, and nothing of the one that judges it."""

from __future__ import annotations

import copy
import ctypes
import os
import platform
import socket
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from tests import classroom_course as small
from tools.classroom import sandbox, suspicion, table, wire
from tools.classroom.layout import REPO, Classroom
from tools.classroom.submission import Limits, Outcome, outcome
from tools.classroom.verdict import Verdict

closed = pytest.mark.skipif(bool(sandbox.refusal()), reason="this system gives its users no namespaces")


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Classroom:
    return small.released(tmp_path_factory.mktemp("course"))


@pytest.fixture
def run(room):
    """``run(source, answers={}, ...)``: what came of a solved notebook with one more cell before the exercises."""

    def run(source: str = "", answers: dict[str, str] | None = None, **limits) -> Outcome:
        nb = nbformat.read(room.release / small.LESSON / f"{small.LESSON}.ipynb", as_version=4)
        small.solve(nb)
        for id, text in (answers or {}).items():
            small.answer(nb, id, textwrap.dedent(text))
        small.first(nb, textwrap.dedent(source))
        manifest = room.manifest(small.LESSON)
        return outcome(room, small.LESSON, manifest, nb, limits=Limits(**{"timeout": 10, "check": 10} | limits))

    return run


def printed(came: Outcome) -> str:
    """What the added cell printed; it must have ended without an error."""
    about = came.cells[2]
    assert about["error"] is None, about
    return about["text"]


def rights(came: Outcome) -> list[str]:
    return [id for id, about in came.verdicts.items() if about["verdict"] == Verdict.RIGHT]


EVERYTHING = list(small.SOLVED)

# -- what is there


@closed
def test_only_what_python_needs_is_there(run, room):
    hidden = [REPO / "solutions", REPO / "tests", REPO / "tools", room.source, room.root / "solutions"]
    hidden += [
        room.private / f"{small.LESSON}.json",
        room.gradebooks,
        "/root/.ssh",
        "/home",
        "/var",
        "/sys",
        "/etc/shadow",
        "/boot",
        "/srv",
        "/mnt",
    ]
    came = run(
        f"""
        import os
        print([p for p in {[str(p) for p in hidden]} if os.path.exists(p)])
        print([os.path.relpath(p, {str(room.folder)!r}) for p, _, f in os.walk({str(room.folder)!r}) if f][:1])
        print(sorted(os.listdir("/")))
        print(os.environ.get("HOME"), os.getcwd(), os.listdir("/tmp") != None, len(os.listdir("/dev")))
        """
    )
    nothing, ours, top, home, _ = printed(came).split("\n")
    assert eval(ours) in ([], [f"private/{small.LESSON}/course/genutils"])  # only what grades, where it lies
    assert nothing == "[]" and home.startswith("/tmp /tmp True")
    course = {Path(place).resolve().parts[1] for place in (REPO, sys.prefix, sys.base_prefix, room.root)}
    assert set(eval(top)) - course <= set("bin sbin lib lib32 lib64 usr etc dev proc tmp".split())
    assert rights(came) == EVERYTHING


@closed
def test_nothing_can_be_written_but_in_a_bounded_tmp(run, room):
    places = [
        "/",
        "/usr",
        "/etc",
        "/dev",
        os.path.dirname(np_file()),
        room.root / "genutils",
        room.root / "genutils/check",
    ]
    came = run(
        f"""
        import os
        for place in {[str(p) for p in places]}:
            try:
                open(os.path.join(place, "mine"), "w")
                print("wrote in", place)
            except OSError as error:
                pass
        open("/tmp/mine", "w").write("fine")
        try:
            with open("/tmp/large", "wb") as file:
                for _ in range(600):
                    file.write(bytes(2**20))
        except OSError as error:
            print(error.strerror)
        """
    )
    assert printed(came) == "No space left on device\n"
    assert rights(came) == EVERYTHING


def np_file() -> str:
    import numpy

    return numpy.__file__


@closed
def test_no_network_not_even_this_machine(run):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind("\0learning-data-test")
        local.listen()
        came = run(
            f"""
            import socket
            for family, where in ((socket.AF_INET, ("127.0.0.1", {server.getsockname()[1]})),
                                  (socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_UNIX, "\\0learning-data-test")):
                try:
                    socket.socket(family).connect(where)
                    print("reached", where)
                except OSError:
                    pass
            """
        )
    assert printed(came) == ""


@closed
def test_no_other_process_can_be_seen_or_signalled(run):
    came = run(
        """
        import os, signal
        def there(pid):
            try:
                os.kill(pid, 0)
                return True
            except OSError:
                return False
        print([pid for pid in range(1, 70000) if there(pid)], os.getpid(), os.getppid())
        print([name for name in os.listdir("/proc") if not name.isdigit() and name not in ("self", "thread-self")])
        os.kill(1, signal.SIGKILL)
        os.kill(1, signal.SIGTERM)
        """
    )
    pids, rest, _ = printed(came).split("\n")
    assert pids == "[1, 2] 2 1" and rest == "[]"
    assert rights(came) == EVERYTHING


@closed
def test_rights_cannot_be_won_back(run):
    came = run(
        """
        import ctypes, os
        c = ctypes.CDLL(None, use_errno=True)
        print(open("/proc/self/status").read().split("CapEff:")[1].split()[0].strip("0"), end="")
        attempts = {
            "umount": lambda: c.umount2(b"/tmp", 2), "root": lambda: c.mount(b"", b"/", b"", 32 | 4096, None),
            "usr": lambda: c.mount(b"", b"/usr", b"", 32 | 4096, None),
            "proc": lambda: c.mount(b"p", b"/tmp", b"proc", 0, None),
            "bind": lambda: c.mount(b"/usr", b"/tmp", b"", 4096, None), "pivot": lambda: c.pivot_root(b"/tmp", b"/tmp"),
            "user namespace": lambda: c.unshare(0x10000000), "mounts": lambda: c.unshare(0x20000),
            "chroot": lambda: c.chroot(b"/tmp"), "device": lambda: c.mknod(b"/tmp/d", 0o20666, 0x101),
        }
        print([name for name, attempt in attempts.items() if attempt() == 0])
        """
    )
    assert printed(came) == "[]\n"


# -- what stays, and how much it may take


def alive(mark: str) -> list[int]:
    return [p.pid for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]


@closed
def test_nothing_outlives_grading(run):
    came = run(
        """
        import os, subprocess, time
        subprocess.Popen(["sleep", "86411.5"], start_new_session=True)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp("sleep", ["sleep", "86411.5"])
            os._exit(0)
        time.sleep(0.3)
        print(sum("86411.5" in open(f"/proc/{p}/cmdline").read() for p in os.listdir("/proc") if p.isdigit()))
        """
    )
    assert printed(came) == "2\n"
    until = time.monotonic() + 10  # the box ends after the verdicts are said
    while alive("86411.5") and time.monotonic() < until:
        time.sleep(0.1)
    assert rights(came) == EVERYTHING and alive("86411.5") == []


@closed
def test_too_many_processes_cost_the_cell_that_starts_them(run):
    came = run(
        "import os, time\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.1)"
    )
    assert list(came.lost) == [2] and "processes" in came.lost[2] and rights(came) == EVERYTHING


@closed
def test_too_much_memory_costs_the_cell_that_takes_it(run):
    came = run("x = bytearray(6 * 2**30)", memory=4 * 2**30)
    assert came.cells[2]["error"][0] == "MemoryError" and rights(came) == EVERYTHING
    many = """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                x = bytearray(os.urandom(2**20)) * 450
                time.sleep(60)
        time.sleep(60)
    """
    came = run(many, memory=3 * 2**29, timeout=30)
    assert "GB of memory" in came.lost[2] and rights(came) == EVERYTHING


@closed
@pytest.mark.parametrize("takes", ["memory = mmap.mmap(-1, 2**29)", "memory = os.memfd_create('x')"])
def test_memory_that_is_shared_or_a_file_counts_too(run, takes):
    source = f"""
        import mmap, os, time
        for _ in range(4):
            if os.fork() == 0:
                {takes}
                block = bytes(2**20)
                for _ in range(450):
                    memory.write(block) if hasattr(memory, "write") else os.write(memory, block)
                time.sleep(60)
        time.sleep(60)
    """
    came = run(source, memory=3 * 2**29, timeout=30)
    assert "GB of memory" in came.lost[2] and rights(came) == EVERYTHING


@closed
def test_memory_that_no_process_holds_is_bounded(run):
    came = run(
        """
        import ctypes
        c = ctypes.CDLL(None)
        print([c.shmget(0, ctypes.c_size_t(2**30), 0o1600), c.shmget(0, ctypes.c_size_t(2**20), 0o1600) >= 0])
        """
    )
    assert printed(came) == "[-1, True]\n"


@closed
@pytest.mark.skipif(platform.machine() != "x86_64", reason="calls have other numbers there")
def test_a_box_has_a_keyring_of_its_own():
    """Not that of the session in which somebody grades, nor that of the submission before."""
    c, put = ctypes.CDLL(None), [248, b"user", b"learning-data-test", b"1", 1, -3]
    find = [250, 10, -3, b"user", b"learning-data-test", 0]

    def inside(line):
        before = c.syscall(*find)
        wire.say(line, [before, c.syscall(*put)])

    pid = os.fork()
    if pid == 0:
        try:
            if c.syscall(250, 1, 0) < 0 or c.syscall(*put) < 0:
                os._exit(77)  # this system has no keys to keep
            for _ in range(2):
                box = sandbox.Box(inside, [], 2**40)
                said, _ = wire.hear(box.line)
                box.end()
                assert said[0] == -1
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (0, 77)


@closed
def test_a_course_below_usr_is_hidden(tmp_path):
    """What is not to be seen is empty, though it lies in a folder that is there for Python's sake."""

    def inside(line):
        wire.say(line, [os.listdir("/usr/lib"), len(os.listdir("/usr/bin")) > 0, os.access("/usr/lib", os.W_OK)])

    box = sandbox.Box(inside, [], 2**40, ("/usr/lib", str(tmp_path)))
    said, _ = wire.hear(box.line)
    box.end()
    assert box.missing == "" and said[1] and set(said[0]) <= {"python3", os.path.basename(sys.prefix)}


@closed
def test_a_box_of_an_ordinary_user_is_closed_too():
    """As root the test becomes another user first; the interpreter's files may then be out of reach, not the point."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setresgid(12345, 12345, 12345)
                os.setresuid(12345, 12345, 12345)

            def inside(line):
                wire.say(line, [os.getuid(), os.listdir("/"), [n for n in os.listdir("/proc") if n.isdigit()]])

            box = sandbox.Box(inside, [], 2**40)
            said, _ = wire.hear(box.line)
            box.end()
            wire.say(theirs, [box.missing, said])
        finally:
            os._exit(0)
    theirs.close()
    ours.settimeout(30)
    (missing, (uid, top, pids)), _ = wire.hear(ours)
    os.waitpid(pid, 0)
    assert missing == "" and uid == (os.getuid() or 12345) and "var" not in top and sorted(pids) == ["1", "2"]


# -- the one that judges


@closed
def test_judge_is_hidden_from_others_of_the_same_user():
    pid = os.fork()
    if pid == 0:
        import ctypes

        sandbox.hide()
        os._exit(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # dumpable?
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


LINE = """
import gc, json, os, socket, struct
def say(message, handed=None):
    data = json.dumps(message).encode()
    for thing in gc.get_objects():
        if type(thing).__name__ == "Notebook":
            head = struct.pack("!Q", len(data))
            socket.send_fds(thing.line, [head], [handed.fileno()]) if handed else thing.line.sendall(head)
            thing.line.sendall(data)
"""


def test_a_notebook_that_speaks_for_itself_earns_nothing(run):
    """It finds the line on which it is listened to; what it says there can only name answers, which are questioned."""
    wrong = {"90.1": "def small_entropy(p):\n    return 0.0"}
    forged = LINE + "ours, theirs = socket.socketpair()\nsay(['answer', '90.1', '', False], theirs)\n"
    right = {"verdict": "right", "says": "", "hint": "", "notes": []}
    for reply in (right, ["value", 1.0, [], []], ["value", ["remote", 3, "x"], [], []], "right", {"90.1": right}):
        came = run(
            forged
            + f"data = json.dumps({reply!r}).encode() * 1\nours.sendall((struct.pack('!Q', len(data)) + data) * 9)",
            wrong,
        )
        assert came.verdicts["90.1"]["verdict"] in (Verdict.WRONG, Verdict.UNREAD, Verdict.DIED)
    for message in (["end"], ["verdicts", {"90.1": right}], {"90.1": right}, ["cell", 2, {"error": 3}], 7):
        assert "90.1" not in rights(run(LINE + f"say({message!r})", wrong))
    file = run(LINE + "say(['answer', '90.1', '', False], open('/tmp/x', 'w'))", wrong)
    assert "90.1" not in rights(file)


def test_nobody_guesses_more_than_twice(run):
    """Of answers to one exercise that a notebook brings forward itself, the third is nonsense, and costs the cell."""
    third = "for _ in range(3):\n    ours, theirs = socket.socketpair()\n    say(['answer', '90.1', '', False], theirs)"
    came = run(f"{LINE}\n{third}")
    assert came.lost == {2: "its process said what nobody understands"} and rights(came) == EVERYTHING


def test_errors_are_shown_as_far_as_no_hidden_input_can_be_in_them(run):
    said = run(answers={"90.1": "def small_entropy(p):\n    raise ValueError(f'mine, of {len(p)}')"}).verdicts["90.1"]
    assert said["says"] == "your function raised ValueError: mine, of 2"
    late = """
        def small_entropy(p, seen=[]):
            seen.append(p)
            if len(seen) > 2:  # the public test asks twice
                raise ValueError(str(p))
            return -(p * np.log(p)).sum()
    """
    assert (
        run(answers={"90.1": late}).verdicts["90.1"]["says"]
        == "your function raised ValueError at an input of the hidden test"
    )
    named = late.replace("raise ValueError(str(p))", "raise type(str(p), (Exception,), {})()")
    assert "raised an error at" in run(answers={"90.1": named}).verdicts["90.1"]["says"]
    garbage = late.replace("raise ValueError(str(p))", "return str(p)")
    assert not set("123") & set(run(answers={"90.1": garbage}).verdicts["90.1"]["says"])
    passed_on = {"90.1": late.replace("raise ValueError(str(p))", "open('/tmp/seen', 'w').write(str(p))")}
    passed_on["90.2"] = "import os\ndef normalised(w):\n    raise ValueError(os.listdir('/tmp'))"
    assert "seen" not in run(answers=passed_on).verdicts["90.2"]["says"]


def test_what_steers_a_terminal_is_not_in_the_table(tmp_path):
    said, row = [], table.Row("ada", notes=["error in cell 3: \x1b[2K\nbob  10/10"], status="\x07")
    table.show([row], said.append)
    assert "\n" not in said[-1] and "\x1b" not in said[-1] and "\x07" not in said[-1]


# -- honest trouble


def test_halves_of_characters_are_replaced(run):
    message = "def normalised(w):\n    raise ValueError('\\ud800')"
    came = run("print('\\ud800')\nraise ValueError('\\udfff')", {"90.2": message})
    assert rights(came) == ["90.1", "90.3"]
    for text in (came.cells[2]["text"], *came.cells[2]["error"], came.verdicts["90.2"]["says"]):
        assert "?" in text.encode().decode() or text == "ValueError"


def test_hundreds_of_magics_are_no_reason_not_to_grade():
    assert suspicion.notes([(1, "\n".join(["x = !ls"] * 600))], {}, {}) == []
    assert suspicion.notes(
        [(1, "\n".join(["if x:\n    y, z = !ls", "np.sum?", "%time f()"] * 99 + ["exec(y)"]))], {}, {}
    ) == ["cell 1 names exec(): what for?"]
    many = "%%time\nfor x in range(3):\n    !cat /proc/1/mem \\\n      more"
    assert suspicion.notes([(2, many)], {}, {}) != []


@pytest.mark.parametrize("trouble", ["import os\nos._exit(3)", "import ctypes\nctypes.string_at(0)", "1 / 0", "exit()"])
def test_a_cell_that_fails_costs_itself_only(run, trouble):
    assert rights(run(trouble)) == EVERYTHING


def test_runaway_recursion_costs_its_exercise_only(run):
    endless = "def normalised(w):\n    return normalised(w)\n\nnormalised(1)"
    came = run(answers={"90.2": f"import sys\nsys.setrecursionlimit(10**9)\n{endless}"})
    assert rights(came) == ["90.1", "90.3"] and "given up" in came.verdicts["90.2"]["says"]


def test_what_no_pickle_carries_is_judged(run):
    cached = "import functools\n@functools.lru_cache\ndef log(x):\n    return np.log(x)\nsteps = iter(int, 1)\n"
    answer = "def small_entropy(p):\n    assert next(steps) == 0\n    return -sum(x * log(x) for x in p.tolist())"
    came = run("from scipy.special import entr\nlock = __import__('threading').Lock()", {"90.1": cached + answer})
    assert rights(came) == EVERYTHING
    assert (
        rights(
            run(
                "from scipy.special import entr as small_entropy_of",
                {"90.1": "def small_entropy(p):\n    return small_entropy_of(p).sum()"},
            )
        )
        == EVERYTHING
    )


def test_magics_and_await_run_as_in_a_kernel(run):
    came = run("%matplotlib inline\n%time 1 + 1\nimport asyncio\nawait asyncio.sleep(0)\nprint('done')\n3 * 7")
    assert "done" in printed(came) and "21" in printed(came)
    came = run("!echo seen; exit 3\nfiles = !echo listed\nprint(_exit_code, *files)")
    assert printed(came).split() == ["seen", "3", "listed"]


def test_an_error_of_many_frames_is_told_at_once(run):
    came = run("def deeper(n):\n    return deeper(n + 1)\n\ndeeper(0)", timeout=5)
    assert came.cells[2]["error"][0] == "RecursionError" and not came.cells[2]["late"]
    assert rights(came) == EVERYTHING


def test_an_answer_of_another_name_or_place_is_taken_and_said(run, room):
    other = run(answers={"90.1": small.SOLVED["90.1"].replace("small_entropy", "my_entropy")})
    assert rights(other) == EVERYTHING and other.verdicts["90.1"]["notes"] == ["taken named my_entropy"]
    manifest = room.manifest(small.LESSON)
    for place, note in ((2, []), (99, ["taken as it was at the end of the notebook"])):
        nb = nbformat.read(room.release / small.LESSON / f"{small.LESSON}.ipynb", as_version=4)
        small.solve(nb, "90.2", "90.3")
        nb.cells.insert(place, nbformat.v4.new_code_cell(small.SOLVED["90.1"]))
        came = outcome(room, small.LESSON, manifest, nb)
        assert rights(came) == EVERYTHING and came.verdicts["90.1"]["notes"] == note
    helper = small.SOLVED["90.1"].replace("np.log(p)", "helper(p)")
    nb.cells[-1].source = "helper = np.log"
    small.answer(nb, "90.1", helper)
    assert rights(outcome(room, small.LESSON, manifest, nb)) == EVERYTHING


def test_what_the_lesson_itself_has_of_that_name_is_no_answer(run, room):
    """The lesson's first cell imports a right function; students who define none have none."""
    manifest = room.manifest(small.LESSON)
    nb = small.read(room.release / small.LESSON)
    theirs = f"{nb.cells[1].source}\nfrom genutils.information import entropy as small_entropy"
    manifest["released"].append({"type": "code", "source": theirs, "nbgrader": None})
    nb.cells[1].source = theirs
    for spoil in (
        lambda nb: None,
        lambda nb: nb.cells.remove(small.find(nb, "90.1", "answer")),
        lambda nb: small.answer(nb, "90.1", "def small_entropy(p:"),
        lambda nb: small.answer(nb, "90.1", "x = 1"),
        lambda nb: nb.cells.append(nbformat.v4.new_code_cell(theirs)),
    ):
        mine = copy.deepcopy(nb)
        spoil(mine)
        for whole in (False, True):
            assert rights(outcome(room, small.LESSON, manifest, mine, limits=Limits(whole=whole))) == []


def test_kinds_of_failure_are_told_apart(run):
    answers = {
        "90.1": "def small_entropy(p):\n    import os\n    os._exit(0)",
        "90.2": "def normalised(w):\n    while True:\n        pass",
        "90.3": "class Tally:\n    def add(self, n):\n        self.n = n\n    def total(self):\n        return self.n",
    }
    said = run(answers=answers, check=1).verdicts
    assert [said[id]["verdict"] for id in EVERYTHING] == [Verdict.DIED, Verdict.TIMEOUT, Verdict.WRONG]
    syntax = run(answers={"90.1": "def small_entropy(p:"}).verdicts["90.1"]
    assert syntax["verdict"] == Verdict.MISSING and "SyntaxError" in syntax["says"]
