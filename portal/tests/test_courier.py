"""The courier: what it may reach, and that a service that hangs holds up nobody. Only loopback is spoken to.

The courier runs as it does in the portal, as a process of its own. What stands before its main() lets it reach a port
of ours on loopback, or resolves names as we say; the guard itself is the real one.
"""

import http.server
import json
import socket
import threading
from pathlib import Path

import pytest

from portal import courier, sending
from portal.sending import NOT_NOW, Errand, Letter


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_the_public_internet_may_be_reached(address):
    assert courier.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",  # noqa: S104
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
        "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
        "localhost", "example.com", "", "<broadcast>", "2130706433", "127.1", "0x7f.1",
    ],
)  # fmt: skip
def test_nothing_else_may(address):
    assert not courier.is_public(address)


@pytest.mark.parametrize("peer", ["/run/docker.sock", b"\0abstract", ("10.0.0.1", 80), ("::1", 80, 0, 0), (8, 8), ()])
def test_no_peer_of_another_sort_either(peer):
    assert not courier.may_reach(peer)
    with pytest.raises(PermissionError):
        courier.guard("socket.connect", (None, peer))


class Service:
    """An HTTP server on loopback that counts what comes, and answers as it is told."""

    def __init__(self, status=200, headers=()):
        self.came = []
        outer = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.came.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service():
    made = []

    def start(**facts):
        made.append(Service(**facts))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def silent():
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as door:
        yield door.getsockname()[1]


@pytest.fixture
def sent(tmp_path, monkeypatch):
    """sent(addresses, before) has a real courier take a letter to each; `before` is Python that runs in it first."""

    monkeypatch.setattr(sending, "TO_START", 600.0)  # a busy machine is no fault of the courier

    def send(addresses, before="", each=300.0, whole=300.0):
        program = tmp_path / "the_courier.py"
        code = Path(courier.__file__).read_text()
        program.write_text(code.replace('if __name__ == "__main__":', f"{before}\nif True:"))
        letters = [Letter(address, "Lights", "One light is on.") for address in addresses]
        return dict(Errand(letters, each=each, whole=whole, program=program).news(wait=True))

    return send


def lets_reach(*ports):
    """As if these ports of loopback were public."""
    return (
        f"may_reach = lambda peer, real=may_reach: peer[:2] in {[('127.0.0.1', port) for port in ports]} or real(peer)"
    )


RESOLVES = """
import socket
answers = {answers}
def getaddrinfo(host, port, *_, **__):
    address = answers.pop(0) if len(answers) > 1 else answers[0]
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
socket.getaddrinfo = getaddrinfo
"""


def test_a_message_arrives_where_it_may(service, sent):
    """Else the tests below would prove nothing: without the guard these would arrive."""
    found = service()
    assert sent([f"json://127.0.0.1:{found.port}/hook"], lets_reach(found.port)) == {0: courier.SENT}
    told = json.loads(found.came[0])
    assert (told["title"], told["message"]) == ("Lights", "One light is on.")


def test_loopback_is_never_reached_whatever_it_is_called(service, sent):
    found = service()
    names = [f"127.0.0.1:{found.port}", f"localhost:{found.port}", f"[::1]:{found.port}", f"127.1:{found.port}"]
    schemes = ["json", "xml", "form", "ntfy", "gotify"]
    addresses = [f"{scheme}://{name}/aTokenOfSomeLength/topic" for scheme in schemes for name in names]
    outcomes = sent(addresses)
    assert found.came == []
    assert len(outcomes) == len(addresses)
    assert courier.SENT not in outcomes.values()
    assert outcomes[0] == outcomes[1] == courier.PRIVATE


def test_a_name_that_resolves_into_a_private_network_is_not_followed(service, sent):
    found = service()
    answers = RESOLVES.format(answers=["127.0.0.1"])
    assert sent([f"json://public.example.com:{found.port}/x"], answers) == {0: courier.PRIVATE}
    assert found.came == []


def test_nor_one_that_is_public_when_asked_first_and_private_a_moment_later(service, sent):
    """DNS rebinding: whoever checks a name before the connection is made sees the first answer only."""
    found = service()
    first = "import socket\nsocket.getaddrinfo('public.example.com', 80)"
    answers = RESOLVES.format(answers=["93.184.216.34", "127.0.0.1"])
    assert sent([f"json://public.example.com:{found.port}/x"], answers + first) == {0: courier.PRIVATE}
    assert found.came == []


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed_and_would_not_get_through(service, sent, status):
    inner = service()
    outer = service(status=status, headers=[("Location", f"http://127.0.0.1:{inner.port}/")])
    address = f"json://127.0.0.1:{outer.port}/x"
    assert sent([address], lets_reach(outer.port)) == {0: courier.REFUSED}
    follows = "import apprise\napprise.AppriseAsset._http_redirects = True"
    assert len(outer.came) == 1
    assert sent([f"{address}?redirect=yes"], f"{lets_reach(outer.port)}\n{follows}") == {0: courier.PRIVATE}
    assert len(outer.came) == 2
    assert inner.came == []
    assert sent([f"{address}?redirect=yes"], lets_reach(outer.port, inner.port)) == {0: courier.SENT}
    assert len(inner.came) == 1, "it would have been reached without the guard"


def test_no_file_of_this_machine_is_read_and_no_program_is_started(sent, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the key")
    tries = f"""
def hand_over(address, title, body):
    import os, subprocess
    found = []
    for act in (lambda: open({str(secret)!r}), lambda: open('/etc/passwd'),
                lambda: open({str(tmp_path)!r} + '/new', 'w'),
                lambda: subprocess.run(['true']), lambda: os.system('true'), lambda: os.fork()):
        try:
            act()
        except PermissionError:
            found.append('no')
        else:
            found.append('yes')
    return ' '.join(found)
work_off.__kwdefaults__['send'] = hand_over
"""
    assert sent(["x://y"], tries) == {0: "no no no no no no"}
    assert not (tmp_path / "new").exists()


def test_an_address_that_apprise_does_not_understand_is_told_as_that(sent):
    assert sent(["slack://x", "nosuch://thing"]) == {0: courier.UNREADABLE, 1: courier.UNREADABLE}


def test_one_that_never_answers_holds_up_nobody(service, silent, sent):
    """As many of them as are sent at once, before the one that answers; the plugins would wait for ten minutes."""
    found = service()
    slow = [f"json://127.0.0.1:{silent}/{n}" for n in range(courier.AT_ONCE)]
    before = f"{lets_reach(found.port, silent)}\nimport apprise\napprise.URLBase.socket_read_timeout = 600.0"
    outcomes = sent([*slow, f"json://127.0.0.1:{found.port}/x"], before, each=3.0)
    assert outcomes.pop(len(slow)) == courier.SENT
    assert set(outcomes.values()) == {courier.NO_ANSWER}
    assert len(outcomes) == len(slow)


def test_what_there_was_no_time_for_waits_for_the_next_turn(silent, sent):
    slow = [f"json://127.0.0.1:{silent}/{n}" for n in range(courier.AT_ONCE + 2)]
    outcomes = sent(slow, lets_reach(silent), each=300.0, whole=2.0)
    assert list(outcomes.values()).count(courier.NO_ANSWER) == courier.AT_ONCE
    assert list(outcomes.values()).count(NOT_NOW) == 2


def test_a_courier_that_falls_leaves_all_for_the_next_turn(sent):
    assert sent(["slack://x"], "import os; os._exit(3)") == {0: NOT_NOW}


def test_one_that_is_back_already_is_not_waited_for(tmp_path):
    """Its time would be a quarter of an hour."""
    program = tmp_path / "falls.py"
    program.write_text("raise SystemExit")
    errand = Errand([Letter("slack://x", "Lights", "On.")], each=1.0, whole=900.0, program=program)
    while not errand._is_back:
        assert errand.news() == []
    assert errand.news(wait=True) == [(0, NOT_NOW)]


def test_a_courier_has_none_of_the_portals_secrets(sent, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "of the portal")
    monkeypatch.setenv("HTTPS_PROXY", "http://10.0.0.1:3128")
    tells = "import os\nwork_off.__kwdefaults__['send'] = lambda *_: ' '.join(sorted(os.environ))"
    told = sent(["x://y"], tells)[0].split()
    assert "PATH" in told
    assert not {"SECRET_KEY", "DATABASE_URL", "HTTPS_PROXY"} & set(told)


def test_a_letter_does_not_show_its_address():
    assert "s3cr3t" not in repr(Letter("slack://s3cr3t", "Lights", "On."))
