"""What surrounds every page: the role's places, the account, the theme, what is on. A context processor, all lazy.

A page that renders no base template asks nothing of the database. base.html costs the reader's standings, which the
page's own view has mostly asked for already, the two queries of the meter chip (none
on the spend page, which adds up the same), one for the controller's last look, and for those who teach one for what is
left on.
"""

from typing import NamedTuple

from django.conf import settings
from django.db.models import Max, Min
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from costs import dashboard
from labs.models import Account
from portal import access, languages
from portal.templatetags.look import zone_name, zone_offset
from portal.views.health import LOOK_IS_OLD

STUDENT, INSTRUCTOR, ADMIN = "student", "instructor", "admin"


class Place(NamedTuple):
    url_name: str
    label: str
    short: str  # for the phone's bottom bar
    icon: str
    # Views that belong here although their address does not begin with the place's own.
    also: tuple = ()


TODAY = Place("portal:today", gettext_lazy("Today"), gettext_lazy("Today"), "home")
COURSE = Place(
    "portal:course",
    gettext_lazy("Course"),
    gettext_lazy("Course"),
    "book-2",
    ("portal:week", "portal:material", "portal:threads", "portal:ask", "portal:thread", "portal:remove_post"),
)
LABS = Place("portal:labs", gettext_lazy("Labs"), gettext_lazy("Labs"), "flask")
SUBMISSIONS = Place(
    "portal:submissions",
    gettext_lazy("Submissions"),
    gettext_lazy("Submit"),
    "file-text",
    ("portal:assignment", "portal:submit", "portal:receipt", "portal:feedback"),
)
COSTS = Place(
    "costs:mine",
    gettext_lazy("Costs"),
    gettext_lazy("Costs"),
    "calculator",
    ("costs:calculator", "costs:bill", "costs:my_day", "costs:launch", "costs:readings", "costs:account_free_tier"),
)
CALCULATOR = Place("costs:calculator", gettext_lazy("Calculator"), gettext_lazy("Calculator"), "calculator")
REVIEW = Place("portal:review", gettext_lazy("Review"), gettext_lazy("Review"), "message-2")
COHORT = Place("portal:cohort", gettext_lazy("Cohort"), gettext_lazy("Cohort"), "users")
SPEND = Place(
    "costs:spend",
    gettext_lazy("Spend"),
    gettext_lazy("Spend"),
    "chart-area-line",
    (
        *("costs:day", "costs:person", "costs:by_hand", "costs:launch", "costs:readings", "costs:close_out"),
        *("costs:budgets", "costs:budget", "costs:alerts", "costs:free_tier", "costs:account_free_tier"),
        *("costs:bill", "costs:calculator", "costs:mine", "costs:my_day"),
    ),
)
FORGOTTEN = Place("costs:forgotten", gettext_lazy("Forgotten"), gettext_lazy("Left on"), "bulb")
ACCOUNTS = Place("portal:accounts", gettext_lazy("Accounts"), gettext_lazy("Accounts"), "cloud")
PLACES = {
    STUDENT: [TODAY, COURSE, LABS, SUBMISSIONS, COSTS],
    INSTRUCTOR: [REVIEW, COURSE, COHORT, SPEND, FORGOTTEN],
    ADMIN: [SPEND, FORGOTTEN, ACCOUNTS, COURSE, CALCULATOR],
}
ROLE_WORDS = {STUDENT: gettext_lazy("Student"), INSTRUCTOR: gettext_lazy("Instructor"), ADMIN: gettext_lazy("Admin")}
THEMES = ("light", "dark")
UP_SINCE = timezone.now()  # of this process


def theme_of(request):
    """ "light", "dark", or "" when the reader leaves it to the system."""
    theme = request.COOKIES.get("theme", "")
    return theme if theme in THEMES else ""


class Chrome:
    """The frame of one page for one reader. Each part is worked out when the template first asks for it."""

    def __init__(self, request):
        self.request = request
        self.user = getattr(request, "user", None)
        self.theme = theme_of(request)
        self.now = timezone.now()

    @property
    def is_signed_in(self):
        return bool(self.user and self.user.is_authenticated)

    @property
    def languages(self):
        """[(code, the language's name in itself, whether this page is written in it)]"""
        here = translation.get_language()
        return [(code, name, code == here) for code, name in languages.OFFERED.items()]

    @property
    def is_not_reviewed(self):
        """Whether no native reader has gone through the translation that this page is written in."""
        return translation.get_language() in languages.NOT_REVIEWED

    @cached_property
    def standing(self):
        """What the reader is in the cohort they look at; None for one who is in none. Shared with the page's view."""
        return access.standing(self.request) if self.is_signed_in else None

    @cached_property
    def role(self):
        """ "admin", "instructor", "student"; "" for a reader who is not signed in."""
        if not self.is_signed_in:
            return ""
        if self.standing:
            return self.standing.role
        return ADMIN if self.user.is_staff else STUDENT

    @cached_property
    def scopes(self):
        """The scopes whose lights this reader answers for; empty for a student, who answers for their own."""
        if not self.is_signed_in:
            return []
        access.standing(self.request)  # reads request.standings, once a request
        is_admin = self.user.is_staff
        scopes = [one.cohort.scope for one in self.request.standings.values() if is_admin or one.teaches]
        return [*scopes, ""] if is_admin else scopes

    @cached_property
    def meter(self):
        """The chip: what is on now and what it costs an hour; None for a reader who is not signed in."""
        if not self.is_signed_in:
            return None
        if self.scopes:
            return dashboard.meter_chip(scopes=self.scopes, now=self.now, known=getattr(self.request, "on_now", None))
        return dashboard.meter_chip(owner=self.user, now=self.now)

    @cached_property
    def left_on(self):
        """How many lights are left on in the scopes that the reader answers for. The spend page knows it of its own."""
        known = getattr(self.request, "on_now", None)
        if known is not None and hasattr(self.request, "left_on") and known.scopes == frozenset(self.scopes):
            return self.request.left_on
        return dashboard.left_on(self.scopes, self.now) if self.scopes else 0

    @property
    def meter_url(self):
        if not self.scopes:
            return reverse(LABS.url_name)
        return reverse((FORGOTTEN if self.left_on else SPEND).url_name)

    @cached_property
    def _looks(self):
        return Account.objects.filter(is_open=True).aggregate(last=Max("looked_at"), first=Min("created_at"))

    @property
    def looked_at(self):
        """When the controller last finished a whole census of some account; None when it never did."""
        return self._looks["last"] if self.is_signed_in else None

    @property
    def is_stale(self):
        """Whether the controller should have looked long ago. An account that is new to this database may be old by its
        date (the demo's are): until a first look the portal has as long as a new account has."""
        if not self.is_signed_in:
            return False
        last, first = self._looks["last"], self._looks["first"]
        since = last or (first and max(first, UP_SINCE))
        return since is not None and self.now - since > LOOK_IS_OLD

    @property
    def has_long_lived_key(self):
        """Whether the operator lets the portal work with a key that never ends: who answers for labs is warned."""
        return settings.ALLOW_LONG_LIVED_KEY and bool(self.scopes)

    @property
    def role_word(self):
        return ROLE_WORDS[self.role]

    @cached_property
    def nav(self):
        """[(place, address, whether the page is within it)]"""
        places = [(place, reverse(place.url_name)) for place in PLACES.get(self.role, [])]
        match = self.request.resolver_match
        own = [url for _, url in places if url == self.request.path]
        named = [url for place, url in places if match and match.view_name in place.also]
        around = [url for _, url in places if url != "/" and self.request.path.startswith(url)]
        here = next(iter(own + named), None) or max(around, key=len, default=None)
        return [(place, url, url == here) for place, url in places]

    @property
    def home(self):
        return self.nav[0][1] if self.nav else reverse("account_login")

    @property
    def zone(self):
        """ "Yangon time (UTC+6:30)": the zone in which this page's times are written."""
        here = timezone.get_current_timezone()
        return _("%(zone)s time (%(offset)s)") % {"zone": zone_name(here), "offset": zone_offset(here, self.now)}

    @property
    def zone_name(self):
        return zone_name(timezone.get_current_timezone())


def home_of(request):
    """The address where the work of the asker's role begins."""
    return Chrome(request).home


def chrome(request):
    frame = Chrome(request)
    return {"chrome": frame, "role": SimpleLazyObject(lambda: frame.role)}
