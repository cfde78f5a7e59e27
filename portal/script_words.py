"""What our scripts say, for pages in other languages than English: {% script_words "app" %} puts it into the page.

A script asks translated("Not saved yet") (static/app.js); without the page's words that answers the English itself.
portal/tests/test_translations.py holds this list and the scripts against each other.
"""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext


def of(script):
    """{the English that a script of static/ says: the same in the active language}"""
    return WORDS[script]()


def _app():
    return {
        # As the filter |lasting says it (portal/templatetags/look.py).
        "%(n)s s": pgettext("length of time", "%(n)s s"),
        "%(n)s m": pgettext("length of time", "%(n)s m"),
        "%(n)s h": pgettext("length of time", "%(n)s h"),
        "%(n)s d": pgettext("length of time", "%(n)s d"),
        "Copied": _("Copied"),
        "Selected. Copy it with Ctrl+C.": _("Selected. Copy it with Ctrl+C."),
        "%(n)s selected, %(usd)s %(by)s": _("%(n)s selected, %(usd)s %(by)s"),
        "%(n)s selected, %(usd)s %(by)s, %(unpriced)s unpriced": _(
            "%(n)s selected, %(usd)s %(by)s, %(unpriced)s unpriced"
        ),
    }


def _autosave():
    return {
        "%(n)s word": ngettext("%(n)s word", "%(n)s words", 1),
        "%(n)s words": ngettext("%(n)s word", "%(n)s words", 2),
        "A text that had waited on this device is on the server now. Reload this page to see it.": _(
            "A text that had waited on this device is on the server now. Reload this page to see it."
        ),
        "What had waited on this device is saved.": _("What had waited on this device is saved."),
        "Saving…": _("Saving…"),
        "You are signed out. Open this page in a new tab and sign in; this text stays here.": _(
            "You are signed out. Open this page in a new tab and sign in; this text stays here."
        ),
        "Not saved. %(why)s": _("Not saved. %(why)s"),
        "Not saved: no connection. It is tried again; the text stays here.": _(
            "Not saved: no connection. It is tried again; the text stays here."
        ),
        "Not saved yet": _("Not saved yet"),
    }


def _sending():
    return {
        "You are signed out. Sign in in a new tab; it waits here.": _(
            "You are signed out. Sign in in a new tab; it waits here."
        ),
        "The portal does not answer. It is tried again.": _("The portal does not answer. It is tried again."),
        "Sending goes on.": _("Sending goes on."),
        "No connection. It goes on by itself; the file waits on this device.": _(
            "No connection. It goes on by itself; the file waits on this device."
        ),
        "Do not send %(name)s": _("Do not send %(name)s"),
        "%(name)s is not sent.": _("%(name)s is not sent."),
    }


def _sealing():
    return {
        "Sealing…": _("Sealing…"),
        "Sealed.": _("Sealed."),
        "Not sealed yet. %(why)s": _("Not sealed yet. %(why)s"),
        "No connection: it is tried again.": _("No connection: it is tried again."),
        "Not handed in: read what is said of the files, remove those that cannot go, and press it again.": _(
            "Not handed in: read what is said of the files, remove those that cannot go, and press it again."
        ),
        "Not handed in yet. That happens by itself when everything is here: keep this page open.": _(
            "Not handed in yet. That happens by itself when everything is here: keep this page open."
        ),
    }


def _review():
    return {
        "Review %(name)s": _("Review %(name)s"),
        "Saving…": _("Saving…"),
        "You are signed out. Sign in in another tab; this text stays here.": _(
            "You are signed out. Sign in in another tab; this text stays here."
        ),
        "Not saved. %(why)s": _("Not saved. %(why)s"),
        "No connection; it is tried again.": _("No connection; it is tried again."),
        "What you changed is not saved yet. Leave it?": _("What you changed is not saved yet. Leave it?"),
        "Not saved: no connection. Nothing is lost; press again.": _(
            "Not saved: no connection. Nothing is lost; press again."
        ),
        "Not saved: no connection. Press again.": _("Not saved: no connection. Press again."),
        "Let this comment go?": _("Let this comment go?"),
        "Not saved yet: press the button.": _("Not saved yet: press the button."),
        "Not saved yet": _("Not saved yet"),
    }


WORDS = {"app": _app, "autosave": _autosave, "sending": _sending, "sealing": _sealing, "review": _review}
