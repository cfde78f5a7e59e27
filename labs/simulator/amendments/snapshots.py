"""EBS snapshots. AWS shows a new one as pending, for as long as it copies."""

from __future__ import annotations

from moto.ec2.models.elastic_block_store import Snapshot

from labs.simulator.transitions import make_timed

make_timed(Snapshot, "status", {"completed": "pending"})
