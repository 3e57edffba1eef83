"""JupyterHub for one course on one server: a teacher, students, and nbgrader's exchange between them.

It runs as root, for people's servers run under their own accounts of the system. README.md has the steps. What may
differ is taken from the environment:

- ``COURSE_TEACHER``: the teacher's account (teacher)
- ``COURSE_STUDENTS``: the group of the system whose members are the students (students)
- ``COURSE_EXCHANGE``: the folder through which notebooks go back and forth (/srv/course/exchange)
- ``COURSE_STATE``: where the hub keeps its database and cookies (/srv/course/hub)
- ``COURSE_MEMORY``: memory that one process of a student's may take (3G)
- ``COURSE_IDLE``: seconds after which a server that nobody uses is stopped (3600)
- ``COURSE_DEMO_PASSWORD``: for a demonstration only: everybody logs in with this one password, as anybody
"""

import grp
import os
import pathlib
import pwd
import resource
import sys

from jupyterhub.spawner import LocalProcessSpawner

HERE = pathlib.Path(__file__).resolve().parent
TEACHER = os.environ.get("COURSE_TEACHER", "teacher")
STUDENTS = os.environ.get("COURSE_STUDENTS", "students")
EXCHANGE = pathlib.Path(os.environ.get("COURSE_EXCHANGE", "/srv/course/exchange"))
STATE = pathlib.Path(os.environ.get("COURSE_STATE", "/srv/course/hub"))
DEMO = os.environ.get("COURSE_DEMO_PASSWORD")

c = get_config()  # noqa: F821

# Who may log in: with the password of the system's account.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.open_sessions = False
c.LocalAuthenticator.allowed_groups = {STUDENTS}
c.Authenticator.allowed_users = {TEACHER}
if DEMO:
    c.JupyterHub.authenticator_class = "shared-password"
    c.SharedPasswordAuthenticator.user_password = DEMO
    c.Authenticator.allowed_users = {TEACHER, *grp.getgrnam(STUDENTS).gr_mem}


class OwnAccount(LocalProcessSpawner):
    """A server under the account of its user, whose processes may take so much memory and be so many."""

    def make_preexec_fn(self, name):
        become, most = super().make_preexec_fn(name), int(self.mem_limit)

        def preexec():
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
            resource.setrlimit(resource.RLIMIT_NPROC, (500, 500))
            become()

        return preexec


def closed(spawner):
    """Nobody looks into another's home."""
    os.chmod(pwd.getpwnam(spawner.user.name).pw_dir, 0o700)


def settings(spawner):
    """Folders with Jupyter's settings: students get no Formgrader."""
    every = [HERE / "everybody"] if spawner.user.name == TEACHER else [HERE / "students", HERE / "everybody"]
    return os.pathsep.join(map(str, every))


c.JupyterHub.spawner_class = OwnAccount
c.Spawner.cmd = [str(pathlib.Path(sys.executable).parent / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.mem_limit = os.environ.get("COURSE_MEMORY", "3G")
c.Spawner.pre_spawn_hook = closed
c.Spawner.environment = {"JUPYTER_CONFIG_PATH": settings, "COURSE_EXCHANGE": str(EXCHANGE)}
c.Spawner.env_keep = ["PATH", "LANG", "LC_ALL", "SSL_CERT_FILE"]  # nothing else of the hub's own reaches a student
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120

# What nobody uses is stopped.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout", os.environ.get("COURSE_IDLE", "3600")],
    }
]
scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
c.JupyterHub.load_roles = [{"name": "idle-culler", "scopes": scopes, "services": ["idle-culler"]}]

# The exchange: all may write, nobody may rename what is another's (the sticky bit), and the course is the teacher's.
STATE.mkdir(parents=True, exist_ok=True)
STATE.chmod(0o700)
EXCHANGE.mkdir(parents=True, exist_ok=True)
EXCHANGE.chmod(0o1777)
course = EXCHANGE / "course"
course.mkdir(exist_ok=True)
course.chmod(0o755)
os.chown(course, pwd.getpwnam(TEACHER).pw_uid, -1)

c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # behind a web server that does https, see README.md
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
