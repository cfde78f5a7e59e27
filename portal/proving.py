"""The proof file of a receipt: what was received and when, signed. PURE: text and keys in, text and verdicts out.

It names no person, no score and no file: hashes say which bytes they were, and only to whoever has them. The signature
is Ed25519 over the lines above it, so `openssl pkeyutl` can check it as well as we can (docs/handing-in.md).
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.utils.translation import gettext as _

FIRST = "Lightsout proof of receipt, form 1"
MOST = 64 * 1024  # characters; a proof of many files has some thousand
INSTANT = "%Y-%m-%d %H:%M:%S UTC"
LINE = re.compile(r"([A-Za-z0-9-]+): (.*)")


class NoProof(Exception):
    """This text is no proof of ours, or not all of it: why, in words for whoever brought it."""


@dataclass(frozen=True)
class Piece:
    """One thing that was received: `what` is "answer" or "file"; size in bytes."""

    what: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What a proof says. sealed_at: when the hashes came, where they came before the bytes."""

    number: str
    site: str
    work: str  # the case study and the week, as the course calls them
    version: int
    received_at: datetime
    pieces: tuple[Piece, ...]
    sealed_at: datetime | None = None


def name_of(public):
    """The short name by which a proof says which key signed it. public: the 32 bytes."""
    return hashlib.sha256(public).hexdigest()[:16]


def write(receipt, private):
    """The proof file of a Receipt, signed with an Ed25519PrivateKey."""
    lines = [
        FIRST,
        f"Receipt: {receipt.number}",
        f"Site: {receipt.site}",
        f"Work: {_one_line(receipt.work)}",
        f"Version: {receipt.version}",
        f"Received: {receipt.received_at.astimezone(UTC).strftime(INSTANT)}",
    ]
    if receipt.sealed_at:
        lines.append(f"Sealed: {receipt.sealed_at.astimezone(UTC).strftime(INSTANT)}")
    lines += [f"SHA-256: {piece.sha256} {piece.what} of {piece.size} bytes" for piece in receipt.pieces]
    lines.append(f"Key: {name_of(private.public_key().public_bytes_raw())}")
    signature = base64.b64encode(private.sign(_signed(lines))).decode()
    return "".join(f"{line}\n" for line in [*lines, f"Signature: {signature}"])


def _one_line(words):
    return " ".join(words.split())


def _signed(lines):
    return "".join(f"{line}\n" for line in lines).encode()


def check(text, public_keys):
    """The Receipt that a proof file proves. public_keys: {name: 32 bytes}. Raises NoProof.

    Line ends and blanks around lines may be others than ours: mail and editors change them.
    """
    if len(text) > MOST:
        raise NoProof(_("This is longer than any proof file is."))
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines or lines[0] != FIRST:
        raise NoProof(_("This is not a proof file: its first line would be “%(line)s”.") % {"line": FIRST})
    *signed, last = lines
    if not last.startswith("Signature: ") or len(signed) < 2 or not signed[-1].startswith("Key: "):
        raise NoProof(_("The end of the proof file is missing: its last two lines are the key and the signature."))
    public = public_keys.get(signed[-1].removeprefix("Key: "))
    if public is None:
        raise NoProof(_("It was signed with a key that is not ours: this portal did not give it out."))
    try:
        signature = base64.b64decode(last.removeprefix("Signature: "), validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _signed(signed))
    except (ValueError, InvalidSignature):
        raise NoProof(_("The signature does not fit: something in this file is not as we wrote it.")) from None
    return _read(signed[1:-1])


def _read(lines):
    said = [LINE.fullmatch(line).groups() for line in lines]
    facts = dict(said)
    pieces = []
    for name, value in said:
        if name == "SHA-256":
            sha256, what, _of, size, _bytes = value.split(" ")
            pieces.append(Piece(what, int(size), sha256))
    return Receipt(
        number=facts["Receipt"],
        site=facts["Site"],
        work=facts["Work"],
        version=int(facts["Version"]),
        received_at=_instant(facts["Received"]),
        pieces=tuple(pieces),
        sealed_at=_instant(facts["Sealed"]) if "Sealed" in facts else None,
    )


def _instant(text):
    return datetime.strptime(text, INSTANT).replace(tzinfo=UTC)


def new_key():
    return Ed25519PrivateKey.generate()
