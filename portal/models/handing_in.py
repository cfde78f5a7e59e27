"""What helps work to arrive over a bad connection, and proves that it did: seals, uploads in parts, keys of proofs."""

import uuid

from django.db import models

from portal.models.coursework import Draft, Submission


class Seal(models.Model):
    """The hashes of work whose bytes may follow (portal/sealing.py). One for a draft: a new one replaces it."""

    draft = models.OneToOneField(Draft, on_delete=models.CASCADE, related_name="seal")
    sealed_at = models.DateTimeField()
    answer_sha256 = models.CharField(max_length=64)  # of the answer as it would be handed in
    files = models.JSONField(default=list)  # [{"name": "report.pdf", "size": 812, "sha256": "..."}]
    # Which open page sealed, and its how many-th send that was, as in Draft.
    window = models.CharField(max_length=32)
    sent = models.PositiveIntegerField(default=0)
    # The version with which all of it was received.
    submission = models.ForeignKey(Submission, null=True, on_delete=models.SET_NULL, related_name="+")


class Upload(models.Model):
    """A file on its way in parts (portal/uploading.py). Its bytes lie under MEDIA_ROOT/uploads until all are there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(default=0)  # so many bytes are on disk
    # SHA-256 of the draft's file of this name when it was chosen, "" for none; None where nobody said.
    replaces = models.CharField(max_length=64, null=True)  # noqa: DJ001  none and "" differ
    moved_at = models.DateTimeField()  # when bytes came last
    # Once it is in the draft: when, and what its student was told.
    added_at = models.DateTimeField(null=True)
    said = models.TextField(blank=True, default="")


class ProofKey(models.Model):
    """A key that signs proofs of receipts (portal/keyring.py). Its public half is kept for good."""

    name = models.CharField(max_length=16, unique=True)
    public = models.CharField(max_length=64)  # Ed25519, 32 bytes in hex
    private = models.TextField()  # encrypted with a key made from SECRET_KEY
    made_at = models.DateTimeField()
