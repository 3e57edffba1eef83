"""A real JupyterHub with `deploy/jupyterhub/`: two students fetch, work and submit, a teacher grades and gives back.

It takes minutes, the network (once) and root, for it makes three accounts, and removes them: `make hubtest`.
"""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time

import nbformat
import pytest
import requests
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tools import student
from tools.lessons import ROOT

WHERE = os.environ.get("HUBTEST")  # a folder that everybody may enter; what is installed there is kept for the next run
LESSON = "00_start_here"
ADA, BOB, TEACHER, GROUP = "hub-ada", "hub-bob", "hub-teacher", "hub-students"
PASSWORD = "a demonstration"
PROXY = "configurable-http-proxy@5.3.0"
IDLE = 100  # seconds
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not WHERE, reason="`make hubtest` runs a real JupyterHub (as root, minutes, network)"),
    pytest.mark.timeout(1800),
]


def run(*command, user: str | None = None, cwd=None, **more) -> str:
    """What a command prints; as another user, with nothing but that user's own environment."""
    if user:
        home = pwd.getpwnam(user).pw_dir
        more = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} | more
        more["env"] = {"HOME": home, "USER": user, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | more.get("env", {})
    done = subprocess.run(list(map(str, command)), cwd=cwd, text=True, capture_output=True, **more)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def interpreter() -> str:
    """A Python that accounts other than root's can run."""
    names = ["python3", *(f"python3.{n}" for n in range(11, 15))]
    version = "import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))"
    for found in filter(None, [sys._base_executable, *map(shutil.which, names), *(f"/usr/bin/{n}" for n in names)]):
        with open(os.devnull, "w") as nothing:
            try:
                if not subprocess.call([found, "-c", version], user="nobody", stdout=nothing, stderr=nothing):
                    return found
            except OSError:
                continue
    pytest.skip("no Python 3.11 to 3.14 with ensurepip that others may run (apt-get install python3-venv)")


def installed(where: pathlib.Path, kit: pathlib.Path) -> pathlib.Path:
    """The hub's environment, as deploy/jupyterhub/README.md makes it; the teacher uses it here, too."""
    python = where / "venv" / "bin" / "python"
    if not python.exists():
        run(interpreter(), "-m", "venv", where / "venv")
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    teacher = [line.split()[0] for line in pins if re.match(r"(cloudpickle|psutil|pyyaml|filelock)==", line)]
    pip = [python, "-m", "pip", "install", "--quiet"]
    run(*pip, "-r", kit / "requirements.txt", "-r", ROOT / "deploy" / "jupyterhub" / "requirements.txt", *teacher)
    run(*pip, "--no-deps", "--force-reinstall", *kit.glob("*.whl"))
    if not (where / "node" / "node_modules" / ".bin" / "configurable-http-proxy").exists():
        if not shutil.which("npm"):
            pytest.skip("the hub's proxy is installed by npm, which is not here (apt-get install npm)")
        run("npm", "install", "--silent", "--prefix", where / "node", PROXY)
    return python


def ports(n: int) -> list[int]:
    """Ports that nobody uses now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    found = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return found


class Hub:
    """A running hub, and what people do there by its HTTP interface."""

    def __init__(self, where: pathlib.Path, state: pathlib.Path):
        here, hub, api = ports(3)
        self.url, self.state, self.tokens = f"http://127.0.0.1:{here}", state, {}
        self.exchange, self.log = state / "exchange", state / "hub.log"
        shutil.copytree(ROOT / "deploy" / "jupyterhub", state / "config")
        env = {
            "PATH": f"{where / 'node' / 'node_modules' / '.bin'}:{os.environ['PATH']}",
            "COURSE_TEACHER": TEACHER,
            "COURSE_STUDENTS": GROUP,
            "COURSE_EXCHANGE": str(self.exchange),
            "COURSE_STATE": str(state / "hub"),
            "COURSE_IDLE": str(IDLE),
            "COURSE_DEMO_PASSWORD": PASSWORD,
        }
        command = [
            where / "venv" / "bin" / "jupyterhub",
            f"--config={state / 'config' / 'jupyterhub_config.py'}",
            f"--JupyterHub.bind_url={self.url}",
            f"--JupyterHub.hub_port={hub}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{api}",
        ]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), cwd=state, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def until(self, what, seconds: float):
        """The first true value of `what()`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                if found := what():
                    return found
            except requests.ConnectionError:
                pass
            time.sleep(0.5)
        raise AssertionError(f"not within {seconds} s; the hub's log ends:\n{self.log.read_text()[-3000:]}")

    def log_in(self, user: str) -> None:
        """Through the page, as a person does; then a token for the rest."""
        session = requests.Session()
        session.get(f"{self.url}/hub/login")
        form = {"username": user, "password": PASSWORD, "_xsrf": session.cookies.get("_xsrf", path="/hub/")}
        came = session.post(f"{self.url}/hub/login", data=form, allow_redirects=False)
        assert came.status_code == 302, came.text[-2000:]
        auth = {"auth": {"username": user, "password": PASSWORD}}
        self.tokens[user] = requests.post(f"{self.url}/hub/api/users/{user}/tokens", json=auth).json()["token"]

    def ask(self, user: str, method: str, path: str, **more) -> requests.Response:
        head = {"Authorization": f"token {self.tokens[user]}"}
        return requests.request(method, f"{self.url}{path}", headers=head, timeout=120, **more)

    def works(self, user: str) -> bool:
        return bool(self.ask(user, "GET", f"/hub/api/users/{user}").json()["server"])

    def start(self, user: str) -> None:
        """A server of the user's own, unless it runs already."""
        if not self.works(user):
            assert self.ask(user, "POST", f"/hub/api/users/{user}/server").status_code in (201, 202)
        self.until(lambda: self.ask(user, "GET", f"/user/{user}/api/status").status_code == 200, 120)

    def nbgrader(self, user: str, what: str) -> list[dict]:
        """Press a button of the assignment list: fetch, submit, fetch_feedback."""
        self.start(user)
        told = {"course_id": "course", "assignment_id": LESSON}
        came = self.ask(user, "POST", f"/user/{user}/assignments/{what}", json=told)
        assert came.status_code == 200 and came.json()["success"], came.text
        return came.json()["value"]

    def file(self, user: str, path: str, content: dict | None = None) -> dict:
        """Read a file of the user's, or write it."""
        saved = {"json": {"type": "notebook", "format": "json", "content": content}} if content else {}
        came = self.ask(user, "PUT" if content else "GET", f"/user/{user}/api/contents/{path}", **saved)
        assert came.status_code == 200, came.text
        return came.json()

    def kernel(self, user: str, code: str) -> str:
        """What code prints in a kernel of the user's."""
        self.start(user)
        id = self.ask(user, "POST", f"/user/{user}/api/kernels", json={"path": f"{LESSON}/x.ipynb"}).json()["id"]
        try:
            return asyncio.run(self._executed(user, id, code))
        finally:
            self.ask(user, "DELETE", f"/user/{user}/api/kernels/{id}")

    async def _executed(self, user: str, id: str, code: str) -> str:
        url = f"{self.url.replace('http', 'ws')}/user/{user}/api/kernels/{id}/channels"
        line = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {self.tokens[user]}"}))
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        head = {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": user, "version": "5.3"}
        message = {"header": head, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await line.write_message(json.dumps(message))
        said = ""
        while True:
            text = await asyncio.wait_for(line.read_message(), 120)
            assert text is not None, "the kernel hung up"
            came = json.loads(text)
            if came["parent_header"].get("msg_id") != "1":
                continue
            if came["msg_type"] == "stream":
                said += came["content"]["text"]
            elif came["msg_type"] == "error":
                said += "\n".join([f"{came['content']['ename']}: {came['content']['evalue']}"])
            elif came["msg_type"] == "display_data":
                said += json.dumps(came["content"]["data"])
            elif came["msg_type"] == "status" and came["content"]["execution_state"] == "idle":
                line.close()
                return said


@pytest.fixture(scope="module")
def hub():
    if os.geteuid() or not sys.platform.startswith("linux"):
        pytest.skip("the hub starts servers under other accounts; run `make hubtest` as root, on Linux")
    where = pathlib.Path(WHERE)
    where.mkdir(parents=True, exist_ok=True)
    where.chmod(0o755)
    state = where / "run"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    kit = student.build(target=where / "kit")
    python = installed(where, kit)
    run("groupadd", GROUP)
    made, hub = [], None
    try:
        for user in (ADA, BOB, TEACHER):
            run("useradd", "--create-home", "--shell", "/bin/bash", user)
            made.append(user)
        run("usermod", "--append", "--groups", GROUP, ADA)
        run("usermod", "--append", "--groups", GROUP, BOB)
        hub = Hub(where, state)
        hub.python = python
        yield hub
    finally:
        if hub:
            hub.process.terminate()
            try:
                hub.process.wait(30)
            except subprocess.TimeoutExpired:
                hub.process.kill()
        for user in made:
            subprocess.run(["userdel", "--force", "--remove", user], capture_output=True)
        subprocess.run(["groupdel", GROUP], capture_output=True)


@pytest.fixture(scope="module")
def teach(hub):
    """``teach("grade", ...)``: a command of the classroom, run by the teacher, who alone has the course."""
    home = pathlib.Path(pwd.getpwnam(TEACHER).pw_dir)
    course = home / "course"
    parts = ("lessons", "solutions", "genutils", "tools", "tests", "book", "_toc.yml", "pyproject.toml")
    course.mkdir()
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, course / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, course / part)
    run("chown", "--recursive", f"{TEACHER}:", home)
    home.chmod(0o700)

    def teach(*args) -> str:
        began = time.monotonic()
        env = {"PYTHONPATH": str(course), "GENUTILS_PROGRESS": "off"}
        said = run(hub.python, "-m", "tools.classroom", *args, user=TEACHER, cwd=course, env=env)
        print(f"\n$ classroom {' '.join(map(str, args))}   ({time.monotonic() - began:.0f} s)\n{said}")
        return said

    return teach


LOOKS = """
import json, os
from ipykernel.connect import get_connection_file
def tried(what, *args):
    try:
        what(*args)
        print("COULD", what.__name__, args)
    except OSError as error:
        print("could not", what.__name__, *args[:1], error.strerror)
print(os.environ["USER"], os.getuid())
print("transport", json.load(open(get_connection_file()))["transport"])
for folder in {folders}:
    tried(os.listdir, folder)
tried(os.rename, {course!r}, {course!r} + "-mine")
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        if os.stat("/proc/" + process).st_uid != os.getuid():
            open("/proc/" + process + "/environ").read()
            print("COULD read the environment of", process)
    except OSError:
        pass
try:
    bytearray(4 * 2**30)
    print("COULD take 4 GB")
except MemoryError:
    print("could not take 4 GB")
from genutils.check import check
import numpy as np
def fair_die(faces):
    return np.full(faces, 1 / faces)
check(fair_die)
"""


def test_two_students_and_a_teacher(hub, teach):
    hub.until(lambda: requests.get(f"{hub.url}/hub/api/").status_code == 200, 60)
    teach("release", LESSON, "--exchange", hub.exchange)
    assert not requests.post(
        f"{hub.url}/hub/api/users/{ADA}/tokens", json={"auth": {"username": ADA, "password": "?"}}
    ).ok
    for user in (ADA, BOB):
        hub.log_in(user)
        hub.start(user)

    # They fetch, work and hand in: Ada all of it, Bob one exercise.
    solved = {
        cell.metadata.exercise: cell.source
        for cell in nbformat.read(ROOT / "solutions" / f"{LESSON}.ipynb", 4).cells
        if cell.metadata.get("role") == "solution"
    }
    book = f"{LESSON}/{LESSON}.ipynb"
    for user, does in ((ADA, list(solved)), (BOB, ["00.1"])):
        hub.nbgrader(user, "fetch")
        notebook = hub.file(user, book)["content"]
        for cell in notebook["cells"]:
            if cell["metadata"].get("role") == "stub" and cell["metadata"]["exercise"] in does:
                cell["source"] = solved[cell["metadata"]["exercise"]]
            elif cell["metadata"].get("role") == "answer":
                cell["source"] = f"The words of {user}."
        hub.file(user, book, notebook)
        (listed,) = (a for a in hub.nbgrader(user, "submit") if a["status"] == "submitted")
        assert listed["student_id"] == user and len(listed["submissions"]) == 1

    # Neither sees what is not theirs, also not with code, and nobody hands in for another.
    home = {user: pwd.getpwnam(user).pw_dir for user in (ADA, BOB, TEACHER)}
    course = hub.exchange / "course"
    folders = [home[BOB], home[TEACHER], str(course / "inbound"), str(hub.state / "hub")]
    said = hub.kernel(ADA, LOOKS.format(folders=folders, course=str(course)))
    print(said)
    assert "transport ipc" in said
    assert "COULD" not in said and said.count("could not") == 6 and f"{ADA} {pwd.getpwnam(ADA).pw_uid}" in said
    assert "right" in said.lower() or "✓" in said  # the check of a lesson, by the wheel of the kit
    assert hub.ask(ADA, "GET", f"/user/{BOB}/api/contents/{book}").status_code in (403, 404)
    assert hub.ask(ADA, "GET", f"/hub/api/users/{BOB}").status_code == 404
    assert hub.ask(ADA, "GET", f"/user/{ADA}/formgrader").status_code == 404
    forged = f"{BOB}+{LESSON}+2099-01-01 00:00:00.0 UTC+x"
    hub.kernel(
        ADA, f"import shutil; shutil.copytree({home[ADA] + '/' + LESSON!r}, {str(course / 'inbound' / forged)!r})"
    )

    # The teacher grades and gives back; the forged one is named, and not taken.
    graded = teach("grade", LESSON, "--exchange", hub.exchange)
    assert f"was put there by the account {ADA}" in graded and "2 new" in graded
    assert "other files were not used" not in graded
    teach("feedback", LESSON, "--exchange", hub.exchange)
    pages = {}
    for user in (ADA, BOB):
        hub.nbgrader(user, "fetch_feedback")
        own = sorted(pathlib.Path(home[user], LESSON, "feedback").rglob("*.html"))
        assert len(own) == 1
        pages[user] = own[0].read_text(encoding="utf-8")
    said = hub.kernel(ADA, f"import os; print(os.listdir({str(course / 'feedback')!r}))")
    assert "PermissionError" in said
    points = {user: float(re.search(r"class=score>([\d.]+) of", page)[1]) for user, page in pages.items()}
    print(f"points: {points}")
    assert points[ADA] > points[BOB] > 0
    assert BOB not in pages[ADA] and ADA not in pages[BOB]

    # What nobody uses is stopped.
    began = time.monotonic()
    hub.until(lambda: not hub.works(ADA) and not hub.works(BOB), 3 * IDLE)
    print(f"idle servers stopped {time.monotonic() - began:.0f} s later")
