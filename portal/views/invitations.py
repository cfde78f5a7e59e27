"""Inviting a cohort, for those who teach it; and joining one, for whoever has a link."""

from datetime import timedelta

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import inviting, name_list
from portal.access import teacher_page
from portal.models import Invitation, User

MOST_BYTES = 1_000_000


class ListForm(forms.Form):
    people = forms.CharField(required=False, max_length=MOST_BYTES)
    file = forms.FileField(required=False)

    def clean(self):
        """{"people": the text that was sent, "found": [name_list.Person], "bad": [name_list.BadLine]}"""
        cleaned = super().clean()
        sent = cleaned.get("file")
        try:
            if sent and sent.size > MOST_BYTES:
                raise name_list.Unreadable(_("This file is larger than 1 MB: too long for a list of people."))
            text = name_list.decoded(sent.read()) if sent else cleaned.get("people", "")
            cleaned["people"] = text
            cleaned["found"], cleaned["bad"] = name_list.read(text)
        except name_list.Unreadable as why:
            raise ValidationError(str(why)) from None
        return cleaned


class LinkForm(forms.Form):
    uses = forms.IntegerField(min_value=1, max_value=1000)
    days = forms.IntegerField(min_value=1, max_value=90)


class AskForm(forms.Form):
    name = forms.CharField(max_length=150, error_messages={"required": gettext_lazy("Write your name.")})
    email = forms.EmailField(max_length=254, error_messages={"required": gettext_lazy("Write your mail address.")})


class AcceptForm(forms.Form):
    name = forms.CharField(max_length=150, error_messages={"required": gettext_lazy("Write your name.")})
    password1 = forms.CharField(
        strip=False, max_length=200, error_messages={"required": gettext_lazy("Choose a password.")}
    )
    password2 = forms.CharField(
        strip=False, max_length=200, error_messages={"required": gettext_lazy("Write it again.")}
    )

    def clean(self):
        cleaned = super().clean()
        if {"password1", "password2"} <= cleaned.keys() and cleaned["password1"] != cleaned["password2"]:
            self.add_error("password2", _("The two are not the same."))
        return cleaned


# --- for those who teach -----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@teacher_page
def invite(request, standing):
    """do=look shows what a list would do, do=invite does it, do=link makes a link and shows it this once."""
    now, cohort, do = timezone.now(), standing.cohort, request.POST.get("do")
    facts = {"list_form": ListForm(), "link_form": LinkForm(initial={"uses": 40, "days": 14})}
    if do in ("look", "invite"):
        form = facts["list_form"] = ListForm(request.POST, request.FILES)
        if form.is_valid():
            people, bad = form.cleaned_data["found"], form.cleaned_data["bad"]
            if do == "invite" and not bad:
                count = inviting.invite(cohort, people, by=request.user, now=now)
                messages.success(request, _how_many(count))
                return redirect("portal:invite", cohort.slug)
            facts |= {"bad": bad, "sorted": inviting.sort(cohort, people, now), "text": form.cleaned_data["people"]}
    elif do == "link":
        form = facts["link_form"] = LinkForm(request.POST)
        if form.is_valid():
            lasts = timedelta(days=form.cleaned_data["days"])
            facts["made"], facts["address"] = inviting.make_link(
                cohort, uses=form.cleaned_data["uses"], lasts=lasts, by=request.user, now=now
            )
    facts |= {
        "cohort": cohort,
        "standing": standing,
        "now": now,
        "links": cohort.invite_links.open(now).select_related("made_by"),
        "waiting": cohort.invitations.waiting().select_related("made_by"),
        "most_tries": inviting.MOST_TRIES,
    }
    has_errors = facts["list_form"].errors or facts["link_form"].errors or facts.get("bad")
    return render(request, "portal/invite.html", facts, status=422 if has_errors else 200)


def _how_many(count):
    if not count:
        return _("Nobody new on this list: nothing was sent.")
    words = ngettext(
        "%(n)s invitation will be on the way within a minute.",
        "%(n)s invitations will be on the way within a minute.",
        count,
    )
    return words % {"n": count}


@require_POST
@teacher_page
def close_link(request, standing, pk):
    inviting.close_link(get_object_or_404(standing.cohort.invite_links, pk=pk), now=timezone.now())
    messages.success(request, _("The link lets nobody in any more."))
    return redirect("portal:invite", standing.cohort.slug)


@require_POST
@teacher_page
def change(request, standing, pk):
    """do=again sends another mail, do=withdraw makes the one that was sent worthless."""
    now = timezone.now()
    invitation = get_object_or_404(standing.cohort.invitations.waiting(), pk=pk)
    if request.POST.get("do") == "again":
        inviting.send_again(invitation, now=now)
        words = _("Another mail to %(address)s will be on the way within a minute.")
        messages.success(request, words % {"address": invitation.email})
    else:
        inviting.withdraw(invitation, now=now)
        messages.success(request, _("%(address)s is not invited any more.") % {"address": invitation.email})
    return redirect("portal:invite", standing.cohort.slug)


# --- for whoever has a link --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request, token):
    now = timezone.now()
    found = inviting.found(token, now)
    if found is None:
        return render(request, "account/join_closed.html", status=404)
    if request.method == "POST" and not ratelimit.consume(request, action="join", key=token):
        return ratelimit.respond_429(request)
    if not isinstance(found, Invitation):
        return _ask(request, found, now)
    if User.objects.filter(email=found.email).exists():
        return _join_as_known(request, found, now)
    return _join_as_new(request, found, now)


def _ask(request, link, now):
    form = AskForm(request.POST or None)
    facts = {"cohort": link.cohort, "form": form}
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].lower()
        if not ratelimit.consume(request, action="join_mail", key=email):
            return ratelimit.respond_429(request)
        inviting.ask_by_link(link, email, form.cleaned_data["name"], now=now)
        return render(request, "account/join_mailed.html", facts | {"email": email})
    return render(request, "account/join_ask.html", facts, status=422 if form.errors else 200)


def _join_as_known(request, invitation, now):
    """Who has an account signs in with it: the mail alone opens no account that is there."""
    why = ""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            inviting.accept_as(request.user, invitation, now=now)
        except inviting.NotAccepted as no:
            why = str(no)
        else:
            request.session["cohort"] = invitation.cohort.slug
            messages.success(request, _("You are in %(cohort)s.") % {"cohort": invitation.cohort})
            return redirect("portal:today")
    facts = {"invitation": invitation, "cohort": invitation.cohort, "why": why}
    return render(request, "account/join_known.html", facts, status=422 if why else 200)


def _join_as_new(request, invitation, now):
    form = AcceptForm(request.POST or None, initial={"name": invitation.name})
    if request.method == "POST" and not request.user.is_authenticated and form.is_valid():
        try:
            person = inviting.accept_as_new(
                invitation, name=form.cleaned_data["name"], password=form.cleaned_data["password1"], now=now
            )
        except ValidationError as weak:
            form.add_error("password1", weak.messages)
        except inviting.NotAccepted as no:
            form.add_error(None, str(no))
        else:
            return perform_login(request, person)
    facts = {"invitation": invitation, "cohort": invitation.cohort, "form": form}
    return render(request, "account/join.html", facts, status=422 if form.errors else 200)
