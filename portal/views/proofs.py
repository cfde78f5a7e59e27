"""The public page where anyone checks a proof file, and beside it the bytes of the work. It shows only the proof.

The work is hashed as it comes and kept nowhere.
"""

import hashlib

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from portal import keyring, proving

MOST_WORK = 256 * 2**20  # bytes, more than a case study may have


class OnlyHashed(FileUploadHandler):
    """Keeps the proof itself, which is small, and of the work its hash alone."""

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.digest, self.text, self.size_so_far = hashlib.sha256(), [], 0

    def receive_data_chunk(self, raw_data, start):
        self.size_so_far += len(raw_data)
        if self.size_so_far > (MOST_WORK if self.field_name == "work" else proving.MOST):
            self.request.too_large = True
            raise SkipFile
        self.digest.update(raw_data)
        if self.field_name == "proof":
            self.text.append(raw_data)

    def file_complete(self, file_size):
        if self.field_name == "work":
            self.request.work = (self.digest.hexdigest(), file_size)
            return SimpleUploadedFile("work", b"-")
        return SimpleUploadedFile("proof", b"".join(self.text) or b"-")


@csrf_exempt  # the handler must stand before anything reads the form: it is checked one step later
@require_http_methods(["GET", "HEAD", "POST"])
def check(request):
    request.upload_handlers = [OnlyHashed(request)]
    request.work, request.too_large = None, False
    return _checked(request)


@csrf_protect
def _checked(request):
    keys = keyring.public_keys()
    context = {"text": "", "keys": [(name, keyring.as_pem(public)) for name, public in keys.items()]}
    if request.method != "POST":
        return render(request, "portal/proof.html", context)
    brought = request.FILES.get("proof")
    text = brought.read().decode("utf-8", "replace") if brought else request.POST.get("text", "")
    context["text"] = text[: proving.MOST]
    if request.too_large:
        context["trouble"] = _("One of the files is too large: a proof file has a few lines, the work up to 256 MB.")
        return render(request, "portal/proof.html", context, status=422)
    if not text.strip():
        context["trouble"] = _("Choose a proof file, or paste its text.")
        return render(request, "portal/proof.html", context, status=422)
    try:
        context["receipt"] = proving.check(text, keys)
    except proving.NoProof as why:
        context["trouble"] = str(why)
        return render(request, "portal/proof.html", context, status=422)
    if request.work:
        sha256, size = request.work
        context |= {
            "work": request.work,
            "is_of_it": any((piece.sha256, piece.size) == (sha256, size) for piece in context["receipt"].pieces),
        }
    return render(request, "portal/proof.html", context)
