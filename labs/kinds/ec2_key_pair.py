"""EC2 key pairs: the public half only. CreateKeyPair would hand us a private key, so it is never called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import Refused
from labs.kinds.aws_words import code_of, mark, tag_dict, tag_specifications, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want

PUBLIC_KEY_TYPES = ("ssh-ed25519 ", "ssh-rsa ")


class EC2KeyPair(Kind):
    """params: public_key, an OpenSSH line ("ssh-ed25519 AAAA... comment") that the student gives."""

    name, service, identity = "ec2-key-pair", "ec2", NAME
    title, icon, cost_service, arn_type = "EC2 key pair", "key", "EC2", "ec2:key-pair"
    is_free = True
    lost_on_delete = gettext_noop("Your private key stays where it is: on your computer.")

    def create(self, client, want: Want) -> None:
        public_key = str(want.params.get("public_key", "")).strip()
        if not public_key.startswith(PUBLIC_KEY_TYPES) or "\n" in public_key:
            raise Refused("A public key is needed: one line that begins with ssh-ed25519 or ssh-rsa.")
        client.import_key_pair(
            KeyName=want.name,
            PublicKeyMaterial=public_key.encode(),
            TagSpecifications=tag_specifications(want.tags, "key-pair"),
        )

    def observe(self, client, want: Want) -> Seen:
        try:
            found = client.describe_key_pairs(KeyNames=[want.aws_id or want.name])["KeyPairs"]
        except client.exceptions.ClientError as error:
            if code_of(error) == "InvalidKeyPair.NotFound":
                return GONE_FROM_AWS
            raise
        return _seen(found[0]) if found else GONE_FROM_AWS

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_key_pair(KeyName=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        # DescribeKeyPairs has no pages: a region holds at most 5,000 key pairs.
        return [_seen(pair) for pair in client.describe_key_pairs()["KeyPairs"]]


def _seen(pair: Mapping[str, Any]) -> Seen:
    return Seen(
        RUNNING,
        aws_id=pair["KeyName"],
        name=pair["KeyName"],
        since=utc(pair.get("CreateTime")),
        facts={"key_type": pair.get("KeyType", ""), "key_pair_id": pair.get("KeyPairId", "")},
        tags=tag_dict(pair.get("Tags")),
        mark=mark(pair.get("KeyPairId", "")),
    )
