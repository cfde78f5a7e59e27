"""What is vendored is what the manifest says, and has everything that the pages use."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from portal.management import purging
from portal.management.commands.vendor import CLASSES, PACKAGES, inner_svg
from portal.templatetags import look

ROOT = Path(settings.BASE_DIR)
MANIFEST = json.loads((ROOT / "static/vendor/manifest.json").read_text())
# Written by htmx while a request is on its way, or a hook that our script looks for: no rule needs to name them.
WITHOUT_RULE = re.compile(r"htmx-[\w-]+|js-[\w-]+")


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["package"])
def test_a_vendored_file_is_the_one_in_the_manifest(entry):
    content = (ROOT / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert entry["integrity"] == "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def test_every_vendored_file_stands_in_the_manifest_with_its_licence():
    folders = [ROOT / "static/vendor", ROOT / "e2e/vendor"]
    files = {str(path.relative_to(ROOT)) for folder in folders for path in folder.iterdir() if path.is_file()}
    assert files - {"static/vendor/manifest.json"} == {entry["file"] for entry in MANIFEST}
    for entry in MANIFEST:
        path = ROOT / entry["file"]
        licence = (path.parent / "licences" / f"{path.name.split('.')[0]}.txt").read_text()
        assert len(licence) > 500, entry["file"]


def test_the_manifest_names_the_versions_that_would_be_fetched():
    assert {(one.name, one.version) for one in PACKAGES} == {(entry["package"], entry["version"]) for entry in MANIFEST}


def test_no_vendored_file_asks_for_a_map_that_is_not_there():
    for entry in MANIFEST:
        if entry["file"].endswith((".js", ".css")):
            assert "sourceMappingURL" not in (ROOT / entry["file"]).read_text()


# --- classes -------------------------------------------------------------------------------------------------


def our_templates():
    return sorted((ROOT / "templates").rglob("*.html"))


TABLER = dict((*line.split(), "")[:2] for line in (ROOT / CLASSES).read_text().splitlines())


def test_every_tabler_class_of_a_template_is_in_the_vendored_stylesheet():
    """When this fails: `python manage.py vendor --purge-only`."""
    kept = {name for name, used in TABLER.items() if used}
    cut_away = {
        str(path.relative_to(ROOT)): lost
        for path in our_templates()
        if (lost := sorted(purging.certain_classes(path.read_text()) & set(TABLER) - kept))
    }
    assert cut_away == {}


def test_what_is_said_to_be_kept_is_in_the_stylesheet():
    kept = {name for name, used in TABLER.items() if used}
    lost = kept - purging.class_names((ROOT / "static/vendor/tabler.min.css").read_text())
    # Tabler styles a few classes only beside others that we do not use, as `nav-item`; those have no rule left.
    assert len(lost) < len(kept) / 20
    assert not lost & {"btn", "card", "navbar", "visually-hidden", "d-none"}


def test_every_class_of_a_template_has_a_rule_somewhere():
    """A class without one is a typing error, or left over."""
    known = set(TABLER) | purging.class_names((ROOT / "static/app.css").read_text())
    strange = {
        str(path.relative_to(ROOT)): lost
        for path in our_templates()
        if (
            lost := sorted(
                name
                for name in purging.certain_classes(path.read_text()) - known
                if "*" not in name and not WITHOUT_RULE.fullmatch(name)
            )
        )
    }
    assert strange == {}


def test_every_property_of_tablers_that_we_read_is_there():
    """A chart's colour that was cut away would be drawn black."""
    stylesheets = "".join((ROOT / "static" / name).read_text() for name in ("vendor/tabler.min.css", "app.css"))
    defined = set(re.findall(r"(?<=[;{\s])(--tblr-[\w-]+)\s*:", stylesheets))
    read = set(re.findall(r"--tblr-[\w-]*\w", purging.own_words(ROOT)))
    assert {"--tblr-indigo", "--tblr-primary"} <= read
    assert read - defined == set()


def test_every_icon_named_in_a_template_is_vendored():
    named = {
        (name, str(path.relative_to(ROOT)))
        for path in our_templates()
        for name in re.findall(r"\{% icon ['\"]([\w!-]+)['\"]", path.read_text())
    }
    assert named
    assert {(name, path) for name, path in named if name not in look._drawings()} == set()


def test_no_template_styles_or_scripts_inline():
    """The content security policy would refuse it in the browser, where no test of ours would see it."""
    for path in our_templates():
        text = purging.COMMENT.sub("", path.read_text())
        for tag, attributes in re.findall(r"<(script|style)\b([^>]*)>", text):
            ours = "nonce=" in attributes if tag == "style" else re.search(r'src=|type="application/json"', attributes)
            assert ours, f"{path.name}: <{tag}{attributes}>"
        assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']", text), path.name


def included(name, seen):
    """That template and all that it includes, and they: names, added to `seen`."""
    if name not in seen:
        seen.add(name)
        for other in re.findall(r'\{% include "([^"]+)"', (ROOT / "templates" / name).read_text()):
            included(other, seen)
    return seen


def test_a_page_without_htmx_has_nothing_that_asks_for_it():
    without = [path for path in our_templates() if "{% block htmx %}{% endblock %}" in path.read_text()]
    assert ROOT / "templates/portal/today.html" in without
    for path in without:
        for name in included(str(path.relative_to(ROOT / "templates")), set()):
            asks = re.search(r"\shx-(get|post|trigger|boost)", (ROOT / "templates" / name).read_text())
            assert not asks, f"{name}, which is part of {path.name}"


# --- the purge itself ----------------------------------------------------------------------------------------


def test_what_a_template_certainly_writes():
    template = """
    {# class="not-this" #}<a class="btn {% if x == "y" %}active{% endif %} w-{{ n }}">
    <i class='is-{% if on %}on{% else %}off{% endif %} {{ all }}'></i>"""
    assert purging.certain_classes(template) == {"btn", "active", "w-*"}


def test_what_a_template_may_write():
    template = """<i class="is-{% if on %}on{% else %}off{% endif %}">{% icon "bulb" "text-muted me-1" %}
    {{ x|yesno:"a-b,c-d" }}"""
    assert {"is-on", "is-off", "text-muted", "me-1", "a-b", "c-d"} <= purging.possible_classes(template)


def test_what_python_may_write():
    source = 'def f(x):\n    """Says alert."""\n    return f"badge page-{x} text-{x}-red" + "lead"\n'
    found = purging.classes_in_python(source)
    assert {"badge", "lead"} <= found
    assert found.isdisjoint({"alert", "page-*", "text-*-red"})


CSS = """@charset "UTF-8";/*! banner */:root{--tblr-used:1;--tblr-lost:url("data:x;}{");--tblr-chain:var(--tblr-used)}
a{color:var(--tblr-used)}.btn,.btn-lost{background:url("data:image/svg+xml,{;}")}.btn:not(.lost):hover{top:0}
.btn>.lost{top:0}.w-1\\/2{width:50%}@media (min-width:1px){.btn{top:1px}.lost{top:0}}@media print{.lost{top:0}}
@keyframes spin{to{rotate:1turn}}@keyframes lost{to{top:0}}.text-red{animation:spin 1s}.text-reddish{top:0}"""


def test_the_purge_keeps_what_is_used_and_nothing_else():
    assert purging.purge(CSS, {"btn", "w-1/2", "text-red"}) == (
        '@charset "UTF-8";:root{--tblr-used:1}a{color:var(--tblr-used)}.btn{background:url("data:image/svg+xml,{;}")}'
        ".btn:not(.lost):hover{top:0}.w-1\\/2{width:50%}@media (min-width:1px){.btn{top:1px}}"
        "@keyframes spin{to{rotate:1turn}}.text-red{animation:spin 1s}"
    )


def test_a_hole_keeps_every_class_that_fits():
    assert purging.class_names(purging.purge(CSS, {"text-*"})) == {"text-red", "text-reddish"}


def test_a_rule_for_an_attribute_that_nothing_of_ours_writes_is_cut_away():
    css = "[data-vc=calendar] a{top:0}a[data-bs-theme=dark]{top:1px}p:not([data-vc]){top:2px}"
    kept = "a[data-bs-theme=dark]{top:1px}p:not([data-vc]){top:2px}"
    assert purging.purge(css, set(), 'data-bs-theme="dark"') == kept


def test_a_star_in_prose_is_no_hole():
    assert purging.class_names(purging.purge(CSS, {"**bt*", "te*"})) == set()


def test_a_property_that_our_own_stylesheet_reads_is_kept():
    assert "--tblr-chain:var(--tblr-used)" in purging.purge(CSS, set(), "b{top:var(--tblr-chain)}")


def test_an_icon_is_taken_without_its_frame():
    svg = """<svg
      class="icon"
    >
      <path stroke="none" d="M0 0h24v24H0z" fill="none" />
      <path d="M1 1" />
      <path d="M2" />
    </svg>"""
    assert inner_svg(svg) == '<path d="M1 1"/><path d="M2"/>'
