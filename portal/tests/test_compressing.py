"""Pages go out compressed, but not to a stranger who would learn from their length what stands in them."""

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from portal.compressing import CompressedPagesMiddleware

PAGE = "<p>Somebody's page.</p>" * 100


def sent(response, **headers):
    """What goes out when a browser asks with these headers."""
    asked = RequestFactory().get("/", headers={"Accept-Encoding": "gzip, deflate, br", **headers})
    return CompressedPagesMiddleware(lambda request: response)(asked)


@pytest.mark.parametrize("who", [{}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_page_is_compressed_for_who_asks_for_it(who):
    answer = sent(HttpResponse(PAGE), **who)
    assert answer["Content-Encoding"] == "gzip"
    assert int(answer["Content-Length"]) == len(answer.content) < len(PAGE) / 5
    assert gzip.decompress(answer.content).decode() == PAGE
    assert answer["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_asks_for_is_as_long_as_it_is(site):
    assert sent(HttpResponse(PAGE), **{"Sec-Fetch-Site": site}).content == PAGE.encode()


def test_no_two_answers_need_be_of_one_length():
    assert len({len(sent(HttpResponse(PAGE)).content) for _ in range(40)}) > 1


@pytest.mark.parametrize(
    "file", [HttpResponse(PAGE, content_type="text/csv"), StreamingHttpResponse(iter([PAGE]), content_type="text/html")]
)
def test_a_file_keeps_its_length(file):
    assert not sent(file).has_header("Content-Encoding")
