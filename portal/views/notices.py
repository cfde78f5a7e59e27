"""What the asker is told: the list of it, and where, about what and when. Stopping mails works signed out, too."""

from datetime import time, timedelta
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import access, addresses, channels, digests, unsubscribing
from portal.models import Notice, NoticeChannel, NoticeHad
from portal.notices import TOPICS

SHOWN_FOR = timedelta(days=30)
NOTICES_A_PAGE = 50
HOURS = [time(hour) for hour in range(24)]
# An outcome of the courier, to the person whose address it is.
TROUBLES = {
    "unreadable": gettext_lazy("The address is not complete, or not written as this service's are."),
    "private": gettext_lazy("The address leads into a private network. Messages go to the public internet only."),
    "refused": gettext_lazy("The service did not take the message. Is the address still valid?"),
    "no answer": gettext_lazy("The service gave no answer in time."),
}


def own_channel(view):
    """The view gets a channel of the asker's; no other exists for them."""

    @login_required
    @wraps(view)
    def guarded(request, pk):
        kept = NoticeChannel.objects.kept().select_related("person")
        return view(request, get_object_or_404(kept, pk=pk, person=request.user))

    return guarded


@require_safe
@never_cache
@login_required
def mine(request):
    """What one was told in the last 30 days: it is here whether a channel had it or not."""
    now = timezone.now()
    had = Prefetch("had", NoticeHad.objects.select_related("channel").order_by("at"))
    told = Notice.objects.filter(person=request.user, at__gt=now - SHOWN_FOR).prefetch_related(had)
    page = Paginator(told.order_by("-at", "-pk"), NOTICES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/notices.html", {"now": now, "page": page, "days": SHOWN_FOR.days})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def choices(request):
    """About what, where and when. A POST saves all of it."""
    theirs = channels.channels_of(request.user)
    wishes = channels.wishes_of(request.user)
    topics = topics_of(request)
    if request.method == "POST":
        trouble = save(request, theirs, wishes, topics)
        if not trouble:
            messages.success(request, _("Saved."))
            return redirect("portal:notice_choices")
        messages.error(request, trouble)
    return page_of_choices(request, theirs, wishes, topics)


def page_of_choices(request, theirs, wishes, topics, *, given=None, trouble=""):
    """`given`, `trouble`: the label of a new channel that was not taken, and why. Its address is not shown again."""
    for channel in theirs:
        channel.said = TROUBLES.get(channel.trouble, "")
    allowed = [str(addresses.service_of(scheme)) for scheme in settings.NOTICE_SCHEMES]
    facts = {
        "now": timezone.now(),
        "on": [(channel, told_there(channel, topics)) for channel in theirs if channel.is_on],
        "off": [one for one in theirs if not one.is_allowed or one.verified_at and one.off_at],
        "unproved": [one for one in theirs if one.is_allowed and not one.verified_at],
        "wishes": wishes,
        "paces": digests.PACES.items(),
        "hours": HOURS,
        "allowed": allowed,
        "services": get_text_list(allowed, _("or")),
        "is_full": sum(not channel.is_mail for channel in theirs) >= channels.MOST,
        "most": channels.MOST,
        "given": given or "",
        "trouble": trouble,
    }
    return render(request, "portal/notice_choices.html", facts, status=422 if trouble else 200)


def told_there(channel, topics):
    return [(topic, TOPICS[topic], topic not in channel.muted) for topic in topics]


def topics_of(request):
    """The topics that can concern the asker: "teaching" only those who teach."""
    access.standing(request)  # reads request.standings, once a request
    teaches = request.user.is_staff or any(one.teaches for one in request.standings.values())
    return [topic for topic in TOPICS if topic != "teaching" or teaches]


def save(request, theirs, wishes, topics):
    """Store what the form says of the channels that it showed. Answers what is wrong with it, or ""."""
    form = request.POST
    pace, clock = form.get("pace"), {hour.strftime("%H:%M"): hour for hour in HOURS}
    quiet = [clock.get(form.get(name, "")) for name in ("quiet_from", "quiet_to")]
    if pace not in digests.PACES or form.get("daily_at") not in clock:
        return _("Choose how often you are told.")
    if None in quiet and any(quiet):
        return _("Quiet hours need both a beginning and an end.")
    for channel in theirs:
        if form.get(f"shown-{channel.pk}"):
            wanted = form.getlist(f"topics-{channel.pk}")
            # What the form did not show stays as it was.
            unseen = [topic for topic in channel.muted if topic not in topics]
            channel.muted = [topic for topic in topics if topic not in wanted] + unseen
            channel.save(update_fields=["muted"])
    wishes.pace, wishes.daily_at = pace, clock[form["daily_at"]]
    wishes.quiet_from, wishes.quiet_to = quiet
    wishes.save()
    return ""


@require_POST
@login_required
def add(request):
    """A new channel. The code is sent within half a minute; it is on when the code was typed in."""
    label = request.POST.get("label", "")
    try:
        channel = channels.add(request.user, request.POST.get("address", ""), label, now=timezone.now())
    except (addresses.NotTaken, channels.NotDone) as why:
        theirs, wishes = channels.channels_of(request.user), channels.wishes_of(request.user)
        return page_of_choices(request, theirs, wishes, topics_of(request), given=label, trouble=str(why))
    messages.success(request, _("%(name)s: a code is on its way there. Type it in below.") % {"name": channel.called})
    return redirect("portal:notice_choices")


@require_POST
@own_channel
def verify(request, channel):
    try:
        channels.verify(channel, request.POST.get("code", ""), now=timezone.now())
    except channels.NotDone as why:
        messages.error(request, str(why))
    else:
        messages.success(request, _("%(name)s is on. Choose below what you are told there.") % {"name": channel.called})
    return redirect("portal:notice_choices")


@require_POST
@own_channel
def again(request, channel):
    """A test message, or another code; mail that was off is on again at once."""
    try:
        messages.success(request, channels.ask_again(channel, now=timezone.now()))
    except channels.NotDone as why:
        messages.error(request, str(why))
    return redirect("portal:notice_choices")


@require_http_methods(["GET", "HEAD", "POST"])
@own_channel
def remove(request, channel):
    """Asks once, then forgets the address. Mail is only turned off: the address is what one signs in with."""
    if request.method != "POST":
        return render(request, "portal/channel_remove.html", {"channel": channel})
    if channel.is_mail:
        channels.turn_off(channel, now=timezone.now())
        messages.success(request, _("No more mails. What you are told is still on this portal."))
    else:
        channels.remove(channel, now=timezone.now())
        messages.success(request, _("%(name)s was removed, and its address is forgotten.") % {"name": channel.called})
    return redirect("portal:notice_choices")


@csrf_exempt  # mail programs post here without a page (RFC 8058); the signed token says whose it is, and can only stop
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request, token):
    """Stop mails by the link in one of them, signed in or not. Looking changes nothing: programs look at links."""
    found = unsubscribing.read(token)
    if found is None:
        raise Http404("No such link.")
    channel, topics = found
    if request.method == "POST":
        one = request.POST.get("topic", "")
        everything = one == "everything"
        chosen = [one] if one in TOPICS else topics
        unsubscribing.stop(channel, chosen, everything=everything, now=timezone.now())
        facts = {"stopped": None if everything else [TOPICS[topic] for topic in chosen], "is_done": True}
        return render(request, "portal/unsubscribe.html", {"channel": channel, **facts})
    told = [(topic, TOPICS[topic], topic in channel.muted) for topic in topics]
    return render(request, "portal/unsubscribe.html", {"channel": channel, "topics": told})
