"""The language in which a page, a mail or a notice is written: the one that its reader chose, English until they do.

It is never guessed: what a browser asks for (Accept-Language) is not followed (docs/languages.md).
"""

from django.conf import settings
from django.utils import translation
from django.utils.cache import patch_vary_headers

OFFERED = dict(settings.LANGUAGES)  # code: the language's name in itself
DEFAULT = settings.LANGUAGE_CODE
# Translations that no native reader has gone through: their pages say so, and that English holds.
NOT_REVIEWED = {"my"}


def is_offered(code):
    return code in OFFERED


def of(user):
    """The code of the language of one person: for a mail or a notice, which are written without a request."""
    code = getattr(user, "language", "")
    return code if is_offered(code) else DEFAULT


def chosen(request):
    """What the reader of this request chose: of their own account, else of this browser; "" when they never did."""
    kept = getattr(request.user, "language", "") or request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return kept if is_offered(kept) else ""


class ReadersLanguageMiddleware:
    """Every page is written in its reader's language."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # Reset even when the view raises: the thread serves somebody else next.
        with translation.override(chosen(request) or DEFAULT):
            response = self.get_response(request)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                response.headers.setdefault("Content-Language", translation.get_language())
        # The session's cookie, or that of the language: an address alone does not say what one reads there.
        patch_vary_headers(response, ["Cookie"])
        return response
