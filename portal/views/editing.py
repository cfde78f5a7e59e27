"""The course in the browser, for those who teach: weeks, materials, case studies. The files' own rules hold."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labs import catalog
from portal import editing, exporting, filing
from portal.access import member_page
from portal.coursefiles import BrokenCourse
from portal.courses import MEGABYTE, AssignmentFiles, LabFiles, MaterialFiles, WeekFiles
from portal.exporting import NOWHERE
from portal.models import Material
from portal.models.course import default_types

CHANGED = gettext_lazy(
    "Somebody else saved this meanwhile. Your text is below; open the page in another tab to see theirs, "
    "then save again."
)
MOST_MB = 100
ANOTHER = {"material": gettext_lazy("Another material"), "assignment": gettext_lazy("Another case study")}


def _area(rows):
    return forms.Textarea(attrs={"rows": rows, "class": "form-control"})


def _line(**more):
    return forms.CharField(widget=forms.TextInput(attrs={"class": "form-control"}), **more)


def _number(least, most, **more):
    box = forms.NumberInput(attrs={"class": "form-control n"})
    return forms.IntegerField(min_value=least, max_value=most, widget=box, **more)


class CourseForm(forms.Form):
    title = _line(label=gettext_lazy("Title"), max_length=200)
    summary = forms.CharField(label=gettext_lazy("Summary"), max_length=2000, required=False, widget=_area(3))
    needed_md = forms.CharField(label=gettext_lazy("What a student needs"), required=False, widget=_area(8))
    promised_md = forms.CharField(label=gettext_lazy("What the course promises"), required=False, widget=_area(8))

    @staticmethod
    def of(course):
        return {name: getattr(course, name) for name in ("title", "summary", "needed_md", "promised_md")}

    def into(self, course):
        given = self.cleaned_data
        course.title, course.summary = given["title"].strip(), exporting.page(given["summary"]).strip()
        course.needed_md, course.promised_md = exporting.page(given["needed_md"]), exporting.page(given["promised_md"])


class WeekForm(forms.Form):
    title = _line(label=gettext_lazy("Title"), max_length=200)
    theory = _line(label=gettext_lazy("Theory, in a line"), max_length=300, required=False)
    summary_md = forms.CharField(
        label=gettext_lazy("Summary, in Markdown"), max_length=5000, required=False, widget=_area(5)
    )
    labs = forms.MultipleChoiceField(label=gettext_lazy("Labs"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["labs"].choices = [(slug, lab.title) for slug, lab in catalog.catalog().items()]

    @staticmethod
    def of(week):
        facts = {name: getattr(week, name) for name in ("title", "theory", "summary_md")}
        return facts | {"labs": [one.lab_slug for one in week.labs]}

    def into(self, week):
        given = self.cleaned_data
        week.title, week.theory = given["title"].strip(), given["theory"].strip()
        week.summary_md = exporting.page(given["summary_md"]).strip()
        # Those that stay keep their order; new ones come last.
        kept = [one.lab_slug for one in week.labs if one.lab_slug in given["labs"]]
        slugs = kept + [slug for slug in given["labs"] if slug not in kept]
        week.labs = [LabFiles(NOWHERE, slug, n) for n, slug in enumerate(slugs, start=1)]


class MaterialForm(forms.Form):
    title = _line(label=gettext_lazy("Title"), max_length=200)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=Material.Kind.choices, widget=forms.Select(attrs={"class": "form-select"})
    )
    place = _number(1, 500, label=gettext_lazy("Place in the list"), required=False)
    minutes = _number(1, 600, label=gettext_lazy("Minutes it takes"), required=False)
    url = _line(label=gettext_lazy("Web address, of a link or a video"), max_length=500, required=False)
    body_md = forms.CharField(label=gettext_lazy("Page, in Markdown"), required=False, widget=_area(18))
    file = forms.FileField(label=gettext_lazy("File, such as slides or a notebook"), required=False)
    without_file = forms.BooleanField(label=gettext_lazy("Without the file that it has"), required=False)

    @staticmethod
    def of(one):
        facts = {name: getattr(one, name) for name in ("title", "kind", "minutes", "url", "body_md")}
        return facts | {"place": one.position}

    @staticmethod
    def new(slug):
        return MaterialFiles(NOWHERE, slug, "", "", 0)

    def clean_file(self):
        upload = self.cleaned_data["file"]
        if upload and upload.size > MOST_MB * MEGABYTE:
            words = _("The file is larger than %(most)s MB. Put it elsewhere and give a link to it.")
            raise forms.ValidationError(words % {"most": MOST_MB})
        return upload

    def into(self, one, folder):
        """folder: of the bytes that were sent, for as long as the course is laid."""
        given = self.cleaned_data
        one.title, one.kind, one.minutes = given["title"].strip(), given["kind"], given["minutes"]
        one.url, one.body_md = given["url"].strip(), exporting.page(given["body_md"])
        if given["without_file"]:
            one.source, one.sha256, one.file_bytes = None, "", 0
        if given["file"]:
            content = given["file"].read()
            one.source = folder / _file_name(given["file"].name)
            one.source.write_bytes(content)
            one.sha256, one.file_bytes = hashlib.sha256(content).hexdigest(), len(content)


class AssignmentForm(forms.Form):
    title = _line(label=gettext_lazy("Title"), max_length=200)
    brief_md = forms.CharField(label=gettext_lazy("Brief, in Markdown"), widget=_area(16))
    model_answer_md = forms.CharField(
        label=gettext_lazy("Model answer, in Markdown; it opens after the deadline"), required=False, widget=_area(12)
    )
    rubric = forms.CharField(
        label=gettext_lazy("Rubric: a line each, as in: cost | 5 | Cost aware | Names the real cost"),
        required=False,
        widget=_area(6),
    )
    max_points = _number(1, 1000, label=gettext_lazy("Points in all"))
    late_points_a_day = _number(0, 1000, label=gettext_lazy("Points off for each day late, or part of one"))
    max_files = _number(0, 20, label=gettext_lazy("Files at most"))
    max_mb = _number(1, 200, label=gettext_lazy("MB a file at most"))
    allowed_types = _line(label=gettext_lazy("Kinds of files"), max_length=200)
    is_draft = forms.BooleanField(label=gettext_lazy("A draft for me to edit"), required=False)

    @staticmethod
    def of(one):
        named = ("title", "brief_md", "model_answer_md", "max_points", "late_points_a_day", "max_files")
        facts = {name: getattr(one, name) for name in named}
        rubric = "\n".join(
            f"{line['key']} | {line['points']} | {line['title']} | {line['hint']}" for line in one.rubric
        )
        types = ", ".join(one.allowed_types)
        return facts | {
            "rubric": rubric,
            "max_mb": one.max_bytes // MEGABYTE,
            "allowed_types": types,
            "is_draft": one.is_draft,
        }

    @staticmethod
    def new(slug):
        return AssignmentFiles(NOWHERE, slug, "", 0, "", "", [], 20, 5, 20 * MEGABYTE, default_types(), 0, True)

    def clean_rubric(self):
        found = []
        for n, line in enumerate(self.cleaned_data["rubric"].splitlines(), start=1):
            if not line.strip():
                continue
            parts = [part.strip() for part in line.split("|", 3)]
            if len(parts) < 3 or not parts[1].isdecimal():
                words = _("Rubric, line %(line)s: write key | points | title | hint.")
                raise forms.ValidationError(words % {"line": n})
            hint = parts[3] if len(parts) > 3 else ""
            found.append({"key": parts[0], "title": parts[2], "points": int(parts[1]), "hint": hint})
        return found

    def into(self, one, folder):
        given = self.cleaned_data
        one.title, one.rubric, one.is_draft = given["title"].strip(), given["rubric"], given["is_draft"]
        one.brief_md, one.model_answer_md = exporting.page(given["brief_md"]), exporting.page(given["model_answer_md"])
        one.max_points, one.late_points_a_day = given["max_points"], given["late_points_a_day"]
        one.max_files = given["max_files"]
        one.max_bytes = given["max_mb"] * MEGABYTE
        one.allowed_types = [part.strip(" .").lower() for part in given["allowed_types"].split(",") if part.strip(" .")]


FORMS = {"material": MaterialForm, "assignment": AssignmentForm}


def _file_name(name):
    """As a download may be called: portal.coursefiles judges it, after what can be mended was."""
    stem, dot, ending = filing.shown_name(name).rpartition(".")
    return f"{slugify(stem) or 'file'}{dot}{ending}"


def editor_page(view):
    """For those who teach the cohort that they look at: its course."""

    @member_page
    def guarded(request, *args, standing, **kwargs):
        if not standing.teaches:
            raise Http404("Only those who teach edit the course.")
        return view(request, *args, standing=standing, **kwargs)

    return guarded


def _saved(request, standing, form, change, *, where, seen):
    """Save, or say on the form why not: whether it was saved."""
    try:
        changes = editing.save(standing.cohort.course, change, now=timezone.now(), seen=seen, where=where)
    except editing.Changed:
        form.add_error(None, CHANGED)
    except BrokenCourse as broken:
        for problem in broken.problems:
            form.add_error(None, f"{problem.field}: {problem.words}." if problem.field else f"{problem.words}.")
    else:
        messages.success(request, _("Saved.") if changes else _("Nothing was different."))
        return True
    return False


def _facts(standing, form, files, part, title):
    others = standing.cohort.course.cohorts.exclude(pk=standing.cohort.pk).count()
    course = standing.cohort.course
    return {
        "now": timezone.now(),
        "standing": standing,
        "course": course,
        "form": form,
        "files": files,
        "part": part,
        "title": title,
        "seen": editing.fingerprint(part),
        "others": others,
    }


def _shown(request, template, facts):
    form = facts["form"]
    # Of the content that the form began from; who was told of another's has seen that there is a newer one.
    if form.is_bound and CHANGED not in form.non_field_errors():
        facts["seen"] = request.POST.get("seen", "")
    return render(request, template, facts, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@editor_page
def course(request, standing):
    """The whole course: its words, its weeks and what is in them; and another week."""
    files = exporting.of(standing.cohort.course)
    form = CourseForm(request.POST if request.method == "POST" else None, initial=CourseForm.of(files))
    if request.POST.get("do") == "add_week":
        form = CourseForm(initial=CourseForm.of(files))
        title, number = request.POST.get("week_title", "").strip(), request.POST.get("number", "")
        slug = slugify(title)[:50]

        def add(there):
            there.weeks.append(WeekFiles(NOWHERE, int(number) if number.isdecimal() else None, slug, title, "", ""))
            there.weeks.sort(key=lambda week: -1 if week.number is None else week.number)

        try:
            editing.save(standing.cohort.course, add, now=timezone.now())
            messages.success(request, _("The week is there, and its dates are told to every cohort of the course."))
            return redirect("portal:edit_week", slug)
        except BrokenCourse as broken:
            why = " ".join(f"{one.field}: {one.words}." for one in broken.problems)
            messages.error(request, _("Not added. %(why)s") % {"why": why})
        return redirect("portal:edit_course")
    if request.method == "POST" and form.is_valid():
        saved = _saved(request, standing, form, form.into, where=(), seen=request.POST.get("seen", ""))
        if saved:
            return redirect("portal:edit_course")
    facts = _facts(standing, form, files, files, standing.cohort.course.title)
    taken = {week.number for week in files.weeks}
    return _shown(request, "portal/edit_course.html", facts | {"free": [n for n in range(6) if n not in taken]})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@editor_page
def week(request, week, standing):
    files = exporting.of(standing.cohort.course)
    part = editing.part_of(files, week)
    if part is None:
        raise Http404("No such week.")
    form = WeekForm(request.POST if request.method == "POST" else None, initial=WeekForm.of(part))
    if request.method == "POST" and form.is_valid() and request.POST.get("do") != "preview":

        def change(there):
            form.into(editing.part_of(there, week))

        if _saved(request, standing, form, change, where=(week,), seen=request.POST.get("seen", "")):
            return redirect("portal:edit_course")
    return _shown(request, "portal/edit_part.html", _facts(standing, form, files, part, part.title) | {"week": part})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@editor_page
def add(request, week, what, standing):
    """Another material or case study of a week."""
    return _part(request, standing, week, what, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@editor_page
def part(request, week, what, slug, standing):
    return _part(request, standing, week, what, slug)


def _free_slug(files, week, what, title):
    """The address of a new part; a title in another script than Latin gives none, and a taken one is counted on."""
    wanted = slugify(title)[:46].strip("-") or what
    slugs = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, 1000))
    return next(slug for slug in slugs if editing.part_of(files, week, what, slug) is None)


def _part(request, standing, week, what, slug):
    files = exporting.of(standing.cohort.course)
    of_week = editing.part_of(files, week)
    if of_week is None or what not in FORMS:
        raise Http404("No such week.")
    kind = FORMS[what]
    found = editing.part_of(files, week, what, slug) if slug else None
    if slug and found is None:
        raise Http404("There is nothing of that name in this week.")
    initial = kind.of(found) if found else kind.of(kind.new("")) | {"place": len(of_week.materials) + 1}
    do = request.POST.get("do")
    # The button that deletes sends no content: when that is refused, the form shows what is there.
    sent = initial if do == "delete" else request.POST if request.method == "POST" else None
    form = kind(sent, request.FILES or None, initial=initial)
    if do == "delete" and found:

        def drop(there):
            parts = editing.parts_of(editing.part_of(there, week), what)
            parts[:] = [one for one in parts if one.slug != slug]

        if _saved(request, standing, form, drop, where=(week, what, slug), seen=request.POST.get("seen", "")):
            return redirect("portal:edit_course")
    elif request.method == "POST" and do != "preview" and form.is_valid():
        named = slug or _free_slug(files, week, what, form.cleaned_data["title"])
        with tempfile.TemporaryDirectory() as folder:

            def change(there):
                parts = editing.parts_of(editing.part_of(there, week), what)
                one = editing.part_of(there, week, what, slug) if slug else kind.new(named)
                if not slug:
                    parts.append(one)
                form.into(one, Path(folder))
                place = form.cleaned_data.get("place")
                if place:
                    parts.remove(one)
                    parts.insert(place - 1, one)

            where = (week, what, slug or named)
            if _saved(request, standing, form, change, where=where, seen=request.POST.get("seen", "")):
                return redirect("portal:edit_course")
    title = found.title if found else str(ANOTHER[what])
    facts = _facts(standing, form, files, found, title) | {"week": of_week, "what": what}
    if do == "preview":
        facts["preview"] = request.POST.get("body_md") or request.POST.get("brief_md") or ""
    return _shown(request, "portal/edit_part.html", facts)
