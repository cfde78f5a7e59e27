"""The keys that sign proofs of receipts. The private half is encrypted with SECRET_KEY; the public half stays.

After SECRET_KEY was changed the private half cannot be read any more: a new key signs from then on, and what the old
one signed is still proved by its public half. A copy of the database alone signs nothing.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from portal import proving
from portal.models import ProofKey


def _safe():
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"portal.keyring:" + settings.SECRET_KEY.encode()).digest()))


def signing_key(*, now):
    """The key that signs now; made when there is none that can be read. Two that are made at once both count."""
    safe = _safe()
    for kept in ProofKey.objects.order_by("-made_at", "-pk"):
        try:
            return Ed25519PrivateKey.from_private_bytes(safe.decrypt(kept.private.encode()))
        except InvalidToken:
            continue
    made = proving.new_key()
    public = made.public_key().public_bytes_raw()
    ProofKey.objects.create(
        name=proving.name_of(public),
        public=public.hex(),
        private=safe.encrypt(made.private_bytes_raw()).decode(),
        made_at=now,
    )
    return made


def public_keys():
    """Every public key that ever signed here: {name: 32 bytes}."""
    return {name: bytes.fromhex(public) for name, public in ProofKey.objects.values_list("name", "public")}


def as_pem(public):
    """A public key as OpenSSL reads it."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
