"""Acting on many students of a cohort at once: write to them, give them more time, end their labs.

Each is shown first, then done.
"""

import hashlib

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from labs import catalog, launching, ledger
from labs.models import Launch
from portal import extending, notices, schedule
from portal.access import teacher_page
from portal.views.cohort import current_week, roster, shown_of
from portal.views.dates import cases_of, deadline_of


class LetterForm(forms.Form):
    subject = forms.CharField(max_length=150, error_messages={"required": gettext_lazy("Write a subject.")})
    words = forms.CharField(max_length=20_000, error_messages={"required": gettext_lazy("Write what you want to say.")})


@require_POST
@never_cache
@teacher_page
def act(request, standing):
    """do: write, preview, send (a letter); extend, extend-look, extend-now (a deadline); end, end-now (labs).

    `p`: whom; `all`: everybody whom `show` shows.
    """
    now, do = timezone.now(), request.POST.get("do", "")
    people = _chosen(request, standing, now)
    if not people:
        messages.warning(request, _("Tick somebody first."))
        return redirect("portal:cohort_page", standing.cohort.slug)
    facts = {"standing": standing, "cohort": standing.cohort, "people": people}
    if do in ("write", "preview", "send"):
        return _letter(request, facts, do, now)
    if do in ("end", "end-now"):
        return _labs(request, facts, do, now)
    if do in ("extend", "extend-look", "extend-now"):
        return _more_time(request, facts, do, now)
    raise Http404("No such act.")


def _chosen(request, standing, now):
    """The students that were ticked, of this cohort alone: an address of another one is nobody here."""
    if request.POST.get("all"):
        current = current_week(standing, now)
        rows = roster(standing.cohort, current.week if current else None)
        return [row["membership"].user for row in shown_of(rows, request.POST.get("show", ""), now)]
    ticked = set(request.POST.getlist("p"))
    members = standing.cohort.memberships.students().select_related("user").order_by("user__name", "user__email")
    return [one.user for one in members if str(one.user_id) in ticked]


def _letter(request, facts, do, now):
    form = LetterForm(None if do == "write" else request.POST)
    facts |= {"form": form, "sender": request.user}
    if do == "write" or not form.is_valid():
        return render(request, "portal/letter.html", facts, status=422 if form.errors else 200)
    if do == "preview":
        return render(request, "portal/letter.html", facts | {"preview": form.cleaned_data})
    subject, words = form.cleaned_data["subject"], form.cleaned_data["words"].replace("\r\n", "\n").strip()
    # The same letter of the same hour is one: a button that was pressed twice sends it once.
    key = hashlib.sha256(f"{request.user.pk} {subject} {words} {now:%Y-%m-%d %H}".encode()).hexdigest()[:40]
    signed = f"{words}\n\n{request.user}, {facts['cohort']}"
    count = notices.write_to(facts["people"], f"letter-{key}", subject, signed, now=now)
    ledger.note("letter", f"{request.user} wrote to {count} of {facts['cohort']}: {subject}", now, actor=request.user)
    form = ngettext(
        "Your letter to %(n)s student is on its way.", "Your letter to %(n)s students is on its way.", count
    )
    messages.success(request, form % {"n": count})
    return redirect("portal:cohort_page", facts["cohort"].slug)


def _more_time(request, facts, do, now):
    """One deadline of their own for each of them: an instant, shown first with what it changes for whom."""
    cohort, standing, asked = facts["cohort"], facts["standing"], request.POST
    cases = cases_of(standing)
    trouble, lines, status, due = "", [], 200, None
    case = cases.get(asked.get("case", ""))
    if do != "extend":
        try:
            if case is None:
                raise extending.Refused(_("Choose a case study."))
            due, reason = deadline_of(asked.get("at", ""), cohort), asked.get("reason", "")
            if do == "extend-now":
                agreed = {"agreed": asked.get("seen", ""), "by": request.user, "now": now}
                count = extending.grant_many(cohort, case, facts["people"], due, reason=reason, **agreed)
                said = ngettext(
                    "%(count)s student has a deadline of their own, and is told.",
                    "%(count)s students have a deadline of their own, and are told.",
                    count,
                )
                messages.success(request, said % {"count": count})
                return redirect("portal:cohort_page", cohort.slug)
            lines = extending.preview(cohort, case, facts["people"], due, reason=reason)
        except extending.Changed:
            trouble, status = _("Something changed while you looked. This is what it would do now."), 409
            lines = extending.preview(cohort, case, facts["people"], due, reason=reason)
        except (extending.Refused, schedule.ScheduleError) as refused:
            trouble, status = str(refused), 422
    told = {one.week_id: one for one in standing.told}
    facts |= {
        "now": now,
        "cases": [(one, told[one.week_id]) for one in cases.values()],
        "case": case,
        "told": told[case.week_id] if case else None,
        "due": due,
        "asked": asked,
        "trouble": trouble,
        "lines": lines,
        "gaining": sum(not line.stays for line in lines),
        "seen": extending.seen(lines, case, due) if lines else "",
    }
    return render(request, "portal/extend_many.html", facts, status=status)


def _labs(request, facts, do, now):
    owners = [person.pk for person in facts["people"]]
    on = Launch.objects.open().filter(scope=facts["cohort"].scope, asked_to_end_at=None).select_related("owner")
    launches = [launch for launch in on.order_by("owner__name", "created_at") if launch.owner_id in set(owners)]
    if do == "end-now":
        shown = set(request.POST.getlist("launch"))
        # What began after the question was asked was not agreed to.
        launches = [launch for launch in launches if str(launch.pk) in shown]
        for launch in launches:
            launching.ask_to_delete(launch, now=now, by=request.user, why=f"{request.user} ended it")
        form = ngettext(
            "%(n)s lab will be off within minutes.", "%(n)s labs will be off within minutes.", len(launches)
        )
        messages.success(request, form % {"n": len(launches)})
        return redirect("portal:cohort_page", facts["cohort"].slug)
    titles = catalog.catalog()
    facts["launches"] = [(one, titles[one.lab].title if one.lab in titles else one.lab) for one in launches]
    return render(request, "portal/end_labs.html", facts)
