"""What starts the product: make, install.sh, the image and the composition, as far as can be told without an engine."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT = settings.BASE_DIR
TARGETS = ["install", "run", "demo", "test", "lint", "bench", "bench-peers", "vendor"]


def run(*words, cwd=ROOT, **more):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=60, check=False, **more)


# --- make and install.sh ----------------------------------------------------------------------------------------


def test_plain_make_explains_every_target():
    said = run("make").stdout
    makefile = (ROOT / "Makefile").read_text()
    made = re.findall(r"^([a-z-]+):", makefile, re.M)
    assert set(TARGETS) <= set(made)
    for target in made:
        assert re.search(rf"^  make {target} +\S", said, re.M), f"{target} is not explained"
    assert set(re.search(r"\.PHONY: (.*)", makefile)[1].split()) == set(made)


def test_no_document_says_a_python_that_has_no_django():
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for document in documents:
        assert not re.search(r"(?<!\.venv/bin/)(?<!web )\bpython manage\.py", document.read_text()), document.name


@pytest.mark.parametrize(
    ("host", "demo"), [("127.0.0.1", "1"), ("127.0.0.2", "1"), ("localhost", "1"), ("::", "0"), ("10.1.2.3", "0")]
)
def test_the_demo_is_on_by_itself_on_loopback_only(host, demo):
    said = run("make", "--no-print-directory", "--eval", "show:;@echo $(DEMO)", "show", f"HOST={host}")
    assert said.stdout.strip() == demo


def test_python_keeps_what_it_compiled_also_where_the_shell_says_otherwise():
    said = run(
        "make",
        "--no-print-directory",
        "--eval",
        "show:;@echo [$$PYTHONDONTWRITEBYTECODE]",
        "show",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert said.stdout.strip() == "[]"


@pytest.fixture
def bare(tmp_path):
    """A folder with the script and one requirement; bare.python(words) makes a Python that says no to some words."""
    (tmp_path / "install.sh").write_text((ROOT / "install.sh").read_text())
    (tmp_path / "requirements.txt").write_text("nothing==1\n")
    return tmp_path


def a_python(folder, name, refuses):
    """A Python that ends with 1 when its words contain `refuses`, and otherwise is ours."""
    path = folder / name
    path.write_text(f'#!/bin/sh\ncase "$*" in *"{refuses}"*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def install(bare, python):
    without_uv = {**os.environ, "PATH": "/usr/bin:/bin"}
    return run("sh", "install.sh", python, ".venv", "requirements.txt", cwd=bare, env=without_uv)


def test_without_python_it_says_what_is_missing(bare):
    ended = install(bare, "python-of-nowhere")
    assert ended.returncode == 1 and ended.stderr.startswith("There is no python-of-nowhere here.")


def test_with_an_old_python_it_says_which_it_needs(bare):
    ended = install(bare, a_python(bare, "old", "version_info"))
    assert ended.returncode == 1 and "needs 3.11 or newer" in ended.stderr


def test_without_pip_it_says_how_to_get_it(bare):
    ended = install(bare, a_python(bare, "no-pip", "-m pip"))
    assert ended.returncode == 1 and "apt install python3-pip" in ended.stderr


def test_nothing_is_installed_when_nothing_changed(bare):
    made_from = f"{{ {sys.executable} --version; cat requirements.txt; }} | cksum"
    wanted = run("sh", "-c", made_from, cwd=bare).stdout
    (bare / ".venv" / "bin").mkdir(parents=True)
    (bare / ".venv" / "bin" / "python").symlink_to("/bin/true")
    (bare / ".venv" / ".made-from-requirements.txt").write_text(wanted)
    no_pip = a_python(bare, "no-pip", "-m pip")
    unchanged = install(bare, no_pip)
    assert (unchanged.returncode, unchanged.stderr) == (0, "")
    (bare / "requirements.txt").write_text("nothing==2\n")
    assert install(bare, no_pip).returncode == 1


def test_every_requirement_is_pinned_to_one_version():
    for file in ROOT.glob("requirements*.txt"):
        for line in file.read_text().splitlines():
            if line and not line.lstrip().startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9._\[\]-]+==[\w.]+", line), f"{file.name}: {line}"


def test_ci_is_a_script_that_bash_understands():
    assert run("bash", "-n", ".ci/run").returncode == 0
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


# --- the image and the composition ------------------------------------------------------------------------------


@pytest.fixture
def composition():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture
def dockerfile():
    joined = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split(None, 1) for line in joined.splitlines() if line and not line.startswith("#")]


def words_of(command):
    return command if isinstance(command, list) else shlex.split(command)


def settings_from_the_environment():
    return set(
        re.findall(
            r'(?:env(?:\.\w+)?|port_of)\(\s*"([A-Z_]+)"', Path(settings.BASE_DIR, "portal/settings.py").read_text()
        )
    )


def test_the_five_services_are_there_each_with_a_health_check(composition):
    assert set(composition["services"]) == {"web", "worker", "beat", "postgres", "redis"}
    for name, service in composition["services"].items():
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert {"interval", "timeout", "retries"} <= set(service["healthcheck"]), name


def test_the_workers_health_is_its_own_answer_and_beats_health_is_its_freshness(composition):
    worker, beat = (composition["services"][name]["healthcheck"]["test"][1] for name in ("worker", "beat"))
    assert worker.startswith("celery -A portal inspect ping --destination celery@$$HOSTNAME")
    folder, name = re.search(r"find (\S+) .*-name '(\w+)\*'", beat).groups()
    assert settings.CELERY_BEAT_SCHEDULE_FILENAME.endswith(f"/{name}")
    assert composition["services"]["beat"]["volumes"] == [f"var:{folder}"]


def test_whoever_needs_another_waits_until_that_one_is_healthy(composition):
    needs = {name: service.get("depends_on", {}) for name, service in composition["services"].items()}
    assert set(needs["web"]) == {"postgres", "redis"}
    assert set(needs["worker"]) == set(needs["beat"]) == {"web"}
    assert all(each == {"condition": "service_healthy"} for need in needs.values() for each in need.values())


def test_what_is_set_is_known_to_the_settings(composition, dockerfile):
    known = settings_from_the_environment()
    for name in ("web", "worker", "beat"):
        assert set(composition["services"][name]["environment"]) <= known
    in_image = {part.split("=")[0] for kind, rest in dockerfile if kind == "ENV" for part in rest.split()}
    assert in_image - {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PIP_NO_CACHE_DIR"} - {
        "PIP_DISABLE_PIP_VERSION_CHECK"
    } <= known | {"LIGHTSOUT_VAR"}


def test_the_containers_say_that_they_have_no_practice_mode(composition, tmp_path):
    """An address at which nobody answers would let labs start that then wait for ever."""
    [told] = {composition["services"][name]["environment"]["SIMULATOR_URL"] for name in ("web", "worker", "beat")}
    ask = "import django; django.setup(); from labs import practice; print(practice.is_on())"
    surroundings = {"DJANGO_SETTINGS_MODULE": "portal.settings", "LIGHTSOUT_VAR": str(tmp_path), "SIMULATOR_URL": told}
    assert run(sys.executable, "-c", ask, env={**os.environ, **surroundings}).stdout == "False\n"


def test_no_secret_has_a_default_and_each_missing_one_is_explained():
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "SITE_NAME", "EMAIL_URL"):
        uses = re.findall(rf"\${{{name}([^}}]*)}}", text)
        assert uses and all(use == "" or re.match(r":\?Set [A-Z_]+ to ", use) for use in uses), name
        assert any(use for use in uses), name
    with_default = set(re.findall(r"\${([A-Z_]+):-", text))
    off_when_empty = {f"{name}_CLIENT_{what}" for name in ("GOOGLE", "GITHUB") for what in ("ID", "SECRET")}
    others = {"BEHIND_HTTPS", "FROM_EMAIL", "LOG_LEVEL", "PORT", "PORTAL_ROLE_ARN", "TEMPLATE_URL", "TRUSTED_PROXIES"}
    assert with_default == others | off_when_empty


def test_every_command_of_ours_exists(composition, dockerfile):
    web = composition["services"]["web"]["command"][-1]
    collected = [rest for kind, rest in dockerfile if kind == "RUN" and "manage.py" in rest]
    for command in re.findall(r"manage\.py (\w+)", " ".join([web, *collected])):
        assert command in get_commands(), command
    assert web.endswith("portal.wsgi:application")
    from portal.wsgi import application

    assert callable(application)


def test_the_worker_and_beat_are_started_with_options_that_celery_has(composition):
    from celery.bin.celery import celery

    for name in ("worker", "beat"):
        words = words_of(composition["services"][name]["command"])
        assert words[:3] == ["celery", "-A", "portal"] and words[3] == name
        known = {option for each in celery.commands[name].params for option in each.opts}
        assert {word for word in words[4:] if word.startswith("--")} <= known


def test_a_worker_may_finish_its_longest_task_when_it_is_stopped(composition):
    grace = int(composition["services"]["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > settings.CELERY_TASK_TIME_LIMIT


def test_database_and_broker_are_reached_from_inside_alone(composition):
    assert composition["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert composition["services"][name]["networks"] == ["inside"]
        assert "ports" not in composition["services"][name]
    assert all(port.startswith("127.0.0.1:") for port in composition["services"]["web"]["ports"])
    used = {volume.split(":")[0] for service in composition["services"].values() for volume in service["volumes"]}
    assert used == set(composition["volumes"])


def test_the_image_runs_as_nobody_special_and_says_how_it_is(dockerfile):
    kinds = [kind for kind, _ in dockerfile]
    assert dict(dockerfile)["USER"] == "lightsout"
    assert kinds.index("USER") < kinds.index("HEALTHCHECK") < kinds.index("CMD")
    assert dict(dockerfile)["FROM"].startswith("python:3.11")
    for kind, rest in dockerfile:
        if kind == "COPY":
            source = [word for word in rest.split() if not word.startswith("--")][0]
            assert (ROOT / source).exists()


def test_what_is_not_the_product_stays_out_of_the_image():
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "var", ".boot", ".cli-venv", ".bench-venv"} <= set(left_out)
