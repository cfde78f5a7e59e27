"""Labs as templates: a file of CloudFormation in templates/ is what the portal makes of a launch."""

from __future__ import annotations

from pathlib import Path

from labs.kinds.base import Want

TEMPLATES = Path(__file__).with_name("templates")


def stack(key: str, template: str, *, needs: tuple[str, ...] = (), **parameters: str | int) -> Want:
    """The Want of a stack of templates/<template>.yaml (51,200 bytes at most) with these parameters.

    It makes no roles: those are Wants, which carry the boundary of their launch, a cohort's own where it has one.
    Raises FileNotFoundError when there is no such template.
    """
    params = {"template_body": (TEMPLATES / f"{template}.yaml").read_text(), "parameters": parameters}
    return Want(key, "cloudformation-stack", params, needs=needs)
