"""Files that go on after a cut connection: the tus protocol, 1.0.0 (https://tus.io/protocols/resumable-upload).

Core, creation, checksum, expiration and termination; static/sending.js speaks it, and so does any other client of tus
that has the session and its CSRF token. Refusals are plain text, for the person who sent the file.
"""

import base64
import binascii
import tempfile

from django.conf import settings
from django.http import Http404, HttpResponse, UnreadablePostError
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal import casework, submitting, uploading
from portal.access import member_page
from portal.filing import Refused
from portal.models import Upload

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
AT_A_TIME = 64 * 1024
IN_MEMORY = 1024 * 1024  # of one request; what is more goes through a temporary file


class _Answer(Exception):
    """Ends a request with this answer."""

    def __init__(self, status, words="", **headers):
        super().__init__(words)
        self.status, self.words, self.headers = status, words, headers

    def response(self):
        return HttpResponse(self.words, status=self.status, content_type="text/plain; charset=utf-8")


def _tus(*methods):
    """A view of the protocol: for students of the case study, of this version, refusals as plain text."""

    def decorate(view):
        @require_http_methods(["OPTIONS", *methods])
        @member_page
        def spoken(request, number, slug, standing, **kwargs):
            if not standing.is_student:
                raise Http404(_("Only students hand in work."))
            case_study = casework.assignment_of(standing, number, slug, timezone.now())
            if case_study is None:
                raise Http404(_("No such case study."))
            try:
                if request.method == "OPTIONS":
                    answer = _what_is_spoken(case_study)
                elif request.headers.get("Tus-Resumable") != VERSION:
                    answer = HttpResponse(status=412, headers={"Tus-Version": VERSION})
                else:
                    answer = view(request, standing, case_study, **kwargs)
            except _Answer as said:
                answer = said.response()
                for name, value in said.headers.items():
                    answer[name.replace("_", "-")] = value
            except uploading.Moved as moved:
                answer = HttpResponse(str(moved), status=409, headers={"Upload-Offset": moved.offset})
            except Refused as refusal:
                answer = _Answer(422, str(refusal)).response()
            except uploading.DiskFull:
                answer = _Answer(507, str(uploading.FULL)).response()
            answer["Tus-Resumable"] = VERSION
            answer["Cache-Control"] = "no-store"
            return answer

        return spoken

    return decorate


def _what_is_spoken(case_study):
    answer = HttpResponse(status=204)
    answer["Tus-Version"] = VERSION
    answer["Tus-Extension"] = "creation,checksum,expiration,termination"
    answer["Tus-Checksum-Algorithm"] = ",".join(uploading.CHECKSUMS)
    answer["Tus-Max-Size"] = case_study.max_bytes
    return answer


@_tus("POST")
def uploads(request, standing, case_study):
    """Begin an upload: its length and its name come as headers, its bytes by PATCH to the address answered."""
    size, said, now = _number(request, "Upload-Length"), _metadata(request), timezone.now()
    if "filename" not in said:
        raise _Answer(400, "Upload-Metadata has to say the filename.")
    draft = submitting.draft_of(case_study, standing.cohort, request.user, now=now)
    try:
        upload = uploading.begin(draft, said["filename"], size, replaces=said.get("replaces"), now=now)
    except Refused as refusal:
        raise _Answer(413 if size > case_study.max_bytes else 422, str(refusal)) from refusal
    answer = HttpResponse(status=201)
    answer["Location"] = reverse("portal:upload", args=[case_study.week.number, case_study.slug, upload.pk])
    return _with_expiry(answer, upload)


@_tus("HEAD", "PATCH", "DELETE")
def upload(request, standing, case_study, pk):
    mine = {"draft__student": request.user, "draft__assignment": case_study, "draft__cohort": standing.cohort}
    found = Upload.objects.filter(pk=pk, **mine).select_related("draft__assignment", "draft__cohort").first()
    if found is None:
        raise _Answer(404, _("This upload is not here any more. Choose the file again."))
    if request.method == "DELETE":
        uploading.give_up(found)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        return _take(request, found, timezone.now())
    answer = HttpResponse(headers={"Upload-Offset": found.offset, "Upload-Length": found.size})
    return _with_expiry(answer, found)


def _take(request, found, now):
    """The next bytes. With the last ones the file goes into the draft; the words about it are the answer's body."""
    if request.content_type != PIECE:
        raise _Answer(415, f"Bytes come as {PIECE}.")
    offset = _number(request, "Upload-Offset")
    if offset != found.offset:
        raise uploading.Moved(found.offset)
    with tempfile.SpooledTemporaryFile(IN_MEMORY, dir=settings.FILE_UPLOAD_TEMP_DIR) as piece:
        is_cut = _read_into(piece, request, found.size - offset)
        asked = request.headers.get("Upload-Checksum")
        if asked and (is_cut or not _fits(piece, asked)):
            raise _Answer(460, _("These bytes were damaged on the way. They are sent again."))
        found = uploading.add(found, offset, piece, now=now)
    if found.offset < found.size:
        return _with_expiry(HttpResponse(status=204, headers={"Upload-Offset": found.offset}), found)
    found = uploading.finish(found, now=now)
    return HttpResponse(found.said, content_type="text/plain; charset=utf-8", headers={"Upload-Offset": found.offset})


def _read_into(piece, request, most):
    """Copy the body; whether it was cut off. What came until then is kept: that is what the protocol is for."""
    came = 0
    try:
        while some := request.read(AT_A_TIME):
            piece.write(some)
            came += len(some)
            if came > most:
                raise _Answer(413, _("More bytes came than this file was to have. Choose it again."))
    except (UnreadablePostError, ConnectionError):
        return True
    except OSError as failed:
        raise uploading.DiskFull from failed
    said = request.headers.get("Content-Length", "")
    return said.isdecimal() and came < int(said)


def _fits(piece, asked):
    algorithm, _space, digest = asked.partition(" ")
    try:
        return uploading.digest_of(piece, algorithm) == base64.b64decode(digest, validate=True)
    except (ValueError, binascii.Error):
        raise _Answer(400, f"Upload-Checksum is one of {', '.join(uploading.CHECKSUMS)}, and base64.") from None


def _number(request, header):
    said = request.headers.get(header, "")
    if not (said.isdecimal() and said.isascii() and len(said) < 16):
        raise _Answer(400, f"{header} has to be a number of bytes.")
    return int(said)


def _metadata(request):
    """Of Upload-Metadata: {"filename": "report.pdf"}. Values are base64."""
    said = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        key, _space, value = pair.strip().partition(" ")
        try:
            said[key] = base64.b64decode(value, validate=True).decode()
        except (ValueError, binascii.Error):
            raise _Answer(400, "Upload-Metadata has to be keys and values in base64.") from None
    if len(said.get("replaces", "")) > 64:
        raise _Answer(400, "replaces is a SHA-256 in hex.")
    return said


def _with_expiry(answer, found):
    if found.added_at is None:
        answer["Upload-Expires"] = http_date(uploading.expires_at(found).timestamp())
    return answer
