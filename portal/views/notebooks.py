"""Notebooks as pages: of materials, and of what was handed in. The file itself is a download beside them."""

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal import filing, holding, notebooks
from portal.access import member_page
from portal.models import SubmissionFile
from portal.views.course import course_file, material_of
from portal.views.submissions import received_by


@dataclass(frozen=True)
class Place:
    """A notebook on our disk. back: the page it belongs to. address: of this page, pictures lie below it."""

    path: object
    name: str
    title: str
    back: str
    download: str
    address: str


def _of_version(request, number, pk):
    received = received_by(request, number)
    found = get_object_or_404(SubmissionFile, pk=pk, submission=received, name__iendswith=".ipynb")
    if not holding.may_read(request.user, received, found.sha256):
        raise Http404(_("This file is held back."))
    args = [received.number, found.pk]
    facts = {"version": received.version, "student": received.student, "title": received.assignment.title}
    title = _("Version %(version)s of %(student)s, %(title)s") % facts
    here, download = (reverse(f"portal:{name}", args=args) for name in ("submission_notebook", "submission_file"))
    return Place(filing.on_disk(found.path), found.name, title, received.get_absolute_url(), download, here)


def _of_material(standing, number, slug):
    found = material_of(standing, number, slug, timezone.now())
    if not found.file or not found.file_name.endswith(".ipynb"):
        raise Http404(_("This material is no notebook."))
    args = [number, slug]
    here, download, back = (
        reverse(f"portal:{name}", args=args) for name in ("material_notebook", "material_file", "material")
    )
    return Place(course_file(found), found.file_name, found.title, back, download, here)


def _read(place):
    """The notebook at this place. Raises Http404 when it is not on our disk, Unshowable."""
    try:
        if place.path.stat().st_size > notebooks.MOST_BYTES:
            return notebooks.read(b" " * (notebooks.MOST_BYTES + 1))
        return notebooks.read(place.path.read_bytes())
    except OSError as missing:
        raise Http404(_("This file is not on our disk.")) from missing


def _page(request, place):
    facts = {"now": timezone.now(), "place": place, "whole": request.GET.get("show") == "all"}
    try:
        facts["notebook"] = notebooks.render(
            _read(place), lambda cell, which: f"{place.address}{cell}/{which}/", whole=facts["whole"], top=2
        )
    except notebooks.Unshowable as why:
        facts["trouble"] = str(why)
    return render(request, "portal/notebook.html", facts)


def _picture(place, cell, which):
    """A picture and nothing else: no browser takes it for a page of ours, whatever is in it."""
    try:
        found = notebooks.picture(_read(place), cell, which)
    except notebooks.Unshowable as why:
        raise Http404(str(why)) from why
    if found is None:
        raise Http404(_("No such picture."))
    kind, content = found
    answer = HttpResponse(content, content_type=kind)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


@require_safe
@member_page
def of_version(request, number, pk, standing):
    return _page(request, _of_version(request, number, pk))


@require_safe
@member_page
def picture_of_version(request, number, pk, cell, which, standing):
    return _picture(_of_version(request, number, pk), cell, which)


@require_safe
@member_page
def of_material(request, number, slug, standing):
    return _page(request, _of_material(standing, number, slug))


@require_safe
@member_page
def picture_of_material(request, number, slug, cell, which, standing):
    return _picture(_of_material(standing, number, slug), cell, which)
