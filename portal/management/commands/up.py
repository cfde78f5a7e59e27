"""manage.py up: the whole product on this machine, one Ctrl-C for all of it. `make run` calls it."""

import contextlib
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from labs.simulator import BOOT_PATH
from portal import broker, running
from portal.crew import Crew, Fell, Hand
from portal.views.demo import demo_people

# Who hands work to whom stops first: nobody is left with work that another would have taken.
STOPS_IN_ORDER = ("beat", "worker", "web", "simulator", "broker")
COURSE = "courses/aws-ml"


class Command(BaseCommand):
    help = (
        "Run web, worker, beat, broker and the AWS simulator together, until Ctrl-C. What is set by DATABASE_URL, "
        "REDIS_URL or SIMULATOR_URL is used and not started."
    )

    def add_arguments(self, parser):
        parser.add_argument("--afresh", action="store_true", help="Lay the demo's data anew (needs DEMO=1).")

    def handle(self, *args, afresh, **options):
        began = time.monotonic()
        self.starts_broker = not settings.REDIS_URL
        self.starts_simulator = "SIMULATOR_URL" not in os.environ
        ports = {"PORT": settings.PORT, "SIMULATOR_PORT": settings.SIMULATOR_PORT}
        with _alone(settings.VAR, ports):
            self._check_ports()
            crew = Crew(self._pass_on, cwd=settings.BASE_DIR)
            for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(name, _asked_to_stop)
            try:
                self._start(crew, afresh)
                self._greet(time.monotonic() - began)
                crew.watch(lambda: False)
            except KeyboardInterrupt:
                self._tell("\nStopping.")
            except Fell as fell:
                raise CommandError(
                    f"{fell} while starting. Its last words are above, the broker's in broker/valkey.log under var/."
                ) from None
            finally:
                for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(name, signal.SIG_IGN)
                crew.stop(STOPS_IN_ORDER)
        self._tell(f"Stopped. Nothing is left running; the data stays in {settings.VAR}.")

    # --- starting ----------------------------------------------------------------------------------------------

    def _check_ports(self):
        """A busy port is one clear line, before anything was started."""
        wanted = [(settings.HOST, settings.PORT, "PORT")]
        if self.starts_simulator:
            wanted.append(("127.0.0.1", settings.SIMULATOR_PORT, "SIMULATOR_PORT"))
            if settings.SIMULATOR_PORT == settings.PORT:
                raise CommandError(f"PORT and SIMULATOR_PORT are both {settings.PORT}: choose another for one of them.")
        for host, port, name in wanted:
            if not _is_free(host, port):
                raise CommandError(
                    f"Port {port} is busy. Stop what listens there, or choose another: {name}={port + 1}"
                )

    def _start(self, crew, afresh):
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        # Said at every start as root, which in a container one is.
        as_root = "ignore:You're running the worker with superuser"
        celery = [sys.executable, "-W", as_root, "-m", "celery", "-A", "portal", "--quiet"]
        if self.starts_broker:
            try:
                crew.start(Hand("broker", broker.command(settings.VAR), dies_by=signal.SIGTERM))
            except broker.NoBroker as missing:
                raise CommandError(str(missing)) from missing
        if self.starts_simulator:
            crew.start(Hand("simulator", [*manage, "simulator"]))
        with self._files_being_laid(manage):
            self._tell("Laying tables, prices and the course.")
            call_command("migrate", interactive=False, verbosity=0)
            call_command("load_prices", verbosity=0)
            call_command("load_course", str(settings.BASE_DIR / COURSE), verbosity=0, stdout=_Silence())
            self._wait(crew, _broker_answers, 60, "the broker")
            if self.starts_simulator:
                self._wait(crew, _simulator_answers, 120, "the AWS simulator")
            if settings.DEMO:
                self._tell("Laying the demo's cohort.")
                call_command("load_demo", afresh=afresh, verbosity=0)
        level = ["--loglevel", os.environ.get("LOG_LEVEL", "WARNING")]
        crew.start(Hand("web", _web(), dies_by=signal.SIGTERM))
        pool = ["--pool", "threads", "--concurrency", "8", "--without-gossip", "--without-mingle"]
        crew.start(Hand("worker", [*celery, "worker", *pool, *level]))
        crew.start(Hand("beat", [*celery, "beat", *level]))
        self._wait(crew, _page_answers, 120, "the web page")

    def _wait(self, crew, until, seconds, what):
        if not crew.watch(until, seconds=seconds, starting=True):
            raise CommandError(f"{what[0].upper()}{what[1:]} did not answer within {seconds} s.")

    @contextlib.contextmanager
    def _files_being_laid(self, manage):
        """Static files are compressed beside the rest, for a quarter of a minute; not again until they change."""
        files, kept = _hash_of_static_files(), settings.STATIC_ROOT / ".made-from"
        if kept.exists() and kept.read_text() == files:
            yield
            return
        self._tell("Compressing static files; only after they changed.")
        collecting = subprocess.Popen([*manage, "collectstatic", "--no-input", "--clear", "--verbosity", "0"])
        try:
            yield
            if collecting.wait(300):
                raise CommandError("Static files could not be collected: the reason is above.")
        finally:
            collecting.kill()
            collecting.wait()
        kept.write_text(files)

    # --- telling -----------------------------------------------------------------------------------------------

    def _tell(self, line):
        self.stdout.write(line)
        self.stdout.flush()

    def _pass_on(self, name, line):
        self._tell(f"{name:<9} | {line}")

    def _greet(self, seconds):
        lines = ["", f"Lightsout is at {settings.PUBLIC_URL}  (started in {seconds:.0f} s; Ctrl-C stops all of it)"]
        if settings.DEMO:
            lines += ["Demo accounts, at one click on the sign-in page:", *_demo_people()]
        self._tell("\n".join([*lines, ""]))


class _Silence:
    def write(self, text, *args, **kwargs):
        pass


@contextlib.contextmanager
def _alone(var: Path, ports: dict[str, int]):
    """Two of us in one var/ would share a broker and a database: the second is told so."""
    try:
        with running.hold(var, ports):
            yield
    except running.RunsAlready:
        raise CommandError(f"Lightsout runs already in {var}. Stop it first, or set LIGHTSOUT_VAR.") from None


def _asked_to_stop(signum, frame):
    raise KeyboardInterrupt


def _is_free(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host.strip("[]"), port))
        except OSError:
            return False
    return True


def _web():
    workers = ["--workers", "2", "--blocking-threads", "16", "--workers-kill-timeout", "5"]
    where = ["--interface", "wsgi", "--host", settings.HOST, "--port", str(settings.PORT)]
    return [sys.executable, "-m", "granian", *where, *workers, "--log-level", "error", "portal.wsgi:application"]


def _broker_answers():
    with contextlib.suppress(redis.RedisError, OSError):
        url = settings.REDIS_URL or f"unix://{settings.BROKER_SOCKET}"
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as connection:
            return bool(connection.ping())
    return False


def _simulator_answers():
    return _answers("127.0.0.1", settings.SIMULATOR_PORT, BOOT_PATH)


def _page_answers():
    host = settings.HOST if settings.HOST not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    return _answers(host.strip("[]"), settings.PORT, "/alive/")


def _answers(host, port, path):
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _hash_of_static_files():
    """Changes when a file of ours under static/ or the set of installed packages changes."""
    seen = hashlib.sha256((settings.BASE_DIR / "requirements.txt").read_bytes())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                about = path.stat()
                seen.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def _demo_people():
    return [f"  {role:<11} {person.email:<36} {what}" for person, role, what in demo_people()]
