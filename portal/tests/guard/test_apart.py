"""The scanner's own process: what hangs, dies or eats memory costs its own file and no other."""

from portal.guard import apart
from portal.guard.apart import Job
from portal.tests.guard import corpus

AN_ID = "AKIA" + "Q3EGRJ7ZLM2XKWPT"
# A process that answers as ours does, but for files of these names.
ODD = (
    "-c",
    """
import json, os, sys, time
for line in sys.stdin:
    job = json.loads(line)
    if job["name"] == "hangs": time.sleep(600)
    if job["name"] == "dies": os._exit(9)
    print(json.dumps({"n": job["n"], "findings": [], "trouble": []}), flush=True)
""",
)


def reports(jobs, **more):
    return [(job.name, report) for job, report in apart.look_through(jobs, **{"each": 120, "whole": 300, **more})]


def test_what_hangs_or_dies_is_told_and_the_others_are_looked_through(monkeypatch):
    monkeypatch.setattr(apart, "TO_START", 3.0)
    names = ["a", "dies", "b", "hangs", "c"]
    found = reports([Job(name) for name in names], each=0.3, program=ODD)
    assert [name for name, _ in found] == names
    assert [report.trouble for _, report in found] == [
        (),
        ("our scanner could not cope with it",),
        (),
        ("it took longer than 0 s",),
        (),
    ]


def test_what_there_was_no_time_for_is_left_for_the_next_round():
    assert reports([Job("a"), Job("hangs"), Job("b")], each=60, whole=1.5, program=ODD)[1:] == []


def test_the_process_reads_texts_and_files_and_gives_up_what_is_too_much(tmp_path):
    """One process for all of it: it must be able to go on after each."""
    layers = b"deep"
    for n in range(5):
        layers = corpus.zipped({f"{n}.zip": layers})
    wide = corpus.zipped({str(n): b"\x00" * 20 * 2**20 for n in range(4)})
    files = {
        "clean.md": b"I lean to the cloud.",
        "key.md": f"KEY={AN_ID}".encode(),
        "layers.zip": layers,
        "wide.zip": wide,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    jobs = [Job(name, path=str(tmp_path / name)) for name in (*files, "missing.md")]
    found = dict(reports([*jobs, Job("answer.md", text=f"{AN_ID} \ud800")]))
    assert found["clean.md"].is_clean
    assert [one.where for one in found["key.md"].findings] == ["line 1"]
    assert [one.where for one in found["answer.md"].findings] == ["line 1"]
    for name, why in {
        "wide.zip": "unpacks to more than 50 MB",
        "layers.zip": "lie 3 deep",
        "missing.md": "not on our disk",
    }.items():
        assert why in " ".join(found[name].trouble), (name, found[name])


def test_the_process_has_no_secret_of_ours_and_reaches_nothing(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://aye:hunter2@db/x")
    attempt = """
import json, os, socket, sys, tempfile
from portal.guard import apart
sys.addaudithook(apart._guard)
told = [] if not {"DATABASE_URL", "SECRET_KEY"} & set(os.environ) else ["it has our environment"]
for what in (lambda: socket.create_connection(("127.0.0.1", 9), 1), lambda: open("/tmp/guard-was-here", "w"),
             lambda: os.open("/tmp/guard-was-here", os.O_CREAT | os.O_WRONLY), lambda: os.system("true")):
    try: what(); told.append("it could")
    except PermissionError: pass
    except OSError as error: told.append(str(error))
for line in sys.stdin:
    print(json.dumps({"n": 0, "findings": [], "trouble": told}), flush=True)
"""
    assert reports([Job("a")], program=("-c", attempt))[0][1].trouble == ()
