"""The architecture, held: imports only point right (portal -> costs -> labs), and pure modules know no world."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {"labs": {"costs", "portal"}, "costs": {"portal"}}
WORLD = {"django", "boto3", "botocore", "celery", "labs.models", "costs.models", "portal.models"}
WORDS = {"django.utils.translation"}  # marks what is said for another language; asks nobody
PURE = [
    "labs/decide.py",
    "labs/guardrails.py",
    "labs/iam_words.py",
    "labs/limits.py",
    "labs/own_roles.py",
    "labs/printing.py",
    "labs/doctor.py",
    "labs/quotas.py",
    "labs/stack_template.py",
    "labs/policy_evaluator.py",
    "costs/pricing.py",
    "costs/calculator.py",
    "costs/workloads.py",
    "costs/rules/*.py",
    "portal/schedule.py",
    "portal/replanning.py",
    "portal/anchors.py",
    "portal/completion_pdf.py",
    "portal/addresses.py",
    "portal/courier.py",
    "portal/digests.py",
    "portal/proving.py",
    "portal/guard/*.py",
    "portal/notebooks.py",
]


def modules(app):
    """Without tests, and without what students take along: that runs on their machines, and never here."""
    return [path for path in sorted((ROOT / app).rglob("*.py")) if not {"tests", "kits"} & set(path.parts)]


def imported(path):
    """{dotted name: line} of every import of a file, also those inside of functions."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name: node.lineno for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module: node.lineno} | {f"{node.module}.{alias.name}": node.lineno for alias in node.names}
    return found


def within(name, packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("app", FORBIDDEN)
def test_imports_only_point_right(app):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(app)
        for name, line in imported(path).items()
        if within(name, FORBIDDEN[app])
    ]
    assert not wrong


def test_pure_modules_know_neither_django_nor_aws_nor_the_database():
    paths = [path for pattern in PURE for path in sorted(ROOT.glob(pattern)) if path.name != "__init__.py"]
    assert {path.name for path in paths} >= {
        "decide.py",
        "guardrails.py",
        "own_roles.py",
        "pricing.py",
        "calculator.py",
        "schedule.py",
    }
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in paths
        for name, line in imported(path).items()
        if within(name, WORLD) and not within(name, WORDS) and name != "django.utils"
    ]
    assert not wrong


def test_aws_is_called_through_one_module():
    """The simulator's own process is no caller of AWS: it is AWS."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for app in ("labs", "costs", "portal")
        for path in modules(app)
        if path != ROOT / "labs" / "aws.py" and "simulator" not in path.parts
        for name, line in imported(path).items()
        if within(name, {"boto3"})
    ]
    assert not wrong


@pytest.mark.parametrize("app", ["labs", "costs", "portal"])
def test_no_app_imports_another_inside_of_a_function_nor_listens_to_signals(app):
    """A lazy import or a signal between apps says that the layer is wrong."""
    others = {"labs", "costs", "portal"} - {app}
    wrong = []
    for path in modules(app):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                wrong += [
                    f"{path.relative_to(ROOT)}:{node.lineno} imports {node.module} inside of {function.name}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.ImportFrom) and node.module and within(node.module, others)
                ]
        wrong += [
            f"{path.relative_to(ROOT)}:{line} imports {name}"
            for name, line in imported(path).items()
            if within(name, {"django.dispatch", "django.db.models.signals"})
        ]
    assert not wrong
