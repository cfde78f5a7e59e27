"""What kinds have in common that are found by name, and whose lists leave tags out."""

from __future__ import annotations

from collections.abc import Mapping

from labs.kinds.base import NAME, Kind, Seen, Want


class FoundByName(Kind):
    """A kind says how one is described by its AWS id (`described`), and what that is before it is known (`id_of`)."""

    identity = NAME

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        """All of it; absent when there is none. tags: None where they are to be read."""
        raise TypeError(f"{self.name} does not say how it is described")

    def id_of(self, want: Want) -> str:
        return want.aws_id or want.name

    def observe(self, client, want: Want) -> Seen:
        # Our own row needs no tags read back; a stranger's may tell whose it is.
        return self.described(client, self.id_of(want), want.tags or None)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        return self.described(client, glimpsed.aws_id, tags)
