"""Pages go out compressed: on a phone a page is a quarter of its bytes."""

from django.middleware.gzip import GZipMiddleware

# What a browser says of a request that another site made it send (Fetch Metadata).
_FROM_ELSEWHERE = {"cross-site", "same-site"}


class CompressedPagesMiddleware(GZipMiddleware):
    """Compresses pages and parts of pages for who asks by themselves, or from a page of ours.

    A compressed answer tells by its length what in it repeats (BREACH). To learn a secret of a page so, another site
    makes the reader's browser ask for the page a thousand times, with a guess in the address: those answers are as long
    as they are. Where a browser does not say who asked, there is Django's guard: the length varies by chance, and the
    token of forms is another one in each answer.
    """

    def process_response(self, request, response):
        # A file that is handed out keeps its length, by which a download knows how far it is.
        is_page = not response.streaming and response.get("Content-Type", "").startswith("text/html")
        if not is_page or request.headers.get("Sec-Fetch-Site") in _FROM_ELSEWHERE:
            return response
        return super().process_response(request, response)
