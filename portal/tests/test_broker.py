"""The embedded broker: where it listens, who may come near, and that it keeps what it was given."""

import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis

from portal import broker


def answering(path, seconds=10.0):
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            client.ping()
            return client
        except (redis.ConnectionError, redis.BusyLoadingError):
            time.sleep(0.02)
    raise AssertionError(f"no broker at {path}")


@pytest.fixture
def short_var():
    with tempfile.TemporaryDirectory(prefix="v") as var:
        yield Path(var)


def test_it_listens_under_var(short_var):
    assert broker.socket_path(short_var) == short_var / "broker" / "valkey.sock"


def test_under_a_var_too_long_for_a_socket_it_listens_in_a_folder_of_its_own():
    deep = Path("/" + "/".join(["a-folder-with-a-long-name"] * 6))
    path = broker.socket_path(deep)
    assert len(str(path)) <= broker.LONGEST_PATH
    assert path == broker.socket_path(deep) != broker.socket_path(deep / "other")
    assert path.is_relative_to(tempfile.gettempdir())


def test_the_folder_of_the_socket_is_for_nobody_else(short_var):
    (short_var / "broker").mkdir(mode=0o777)
    assert broker.prepare(short_var).parent.stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_the_sockets_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    broker.socket_path(deep).parent.symlink_to(deep)
    with pytest.raises(broker.NoBroker, match="LIGHTSOUT_VAR"):
        broker.prepare(deep)


@pytest.mark.slow
def test_what_it_was_given_is_there_after_it_was_killed(short_var):
    for round_ in (1, 2):
        process = subprocess.Popen(broker.command(short_var), stdout=subprocess.DEVNULL)
        try:
            client = answering(broker.socket_path(short_var))
            if round_ == 1:
                client.rpush("celery", "a hint")
                client.waitaof(1, 0, 5000)
            else:
                assert client.lrange("celery", 0, -1) == [b"a hint"]
            client.close()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
