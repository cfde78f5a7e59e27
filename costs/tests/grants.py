"""Who may see which scope's money, told by the test: the portal answers this in the product."""

from django.contrib.auth.backends import BaseBackend

GRANTED: dict[int, set[str]] = {}


class Grants(BaseBackend):
    def has_perm(self, user_obj, perm, obj=None):
        return perm in ("costs.view_spend", "costs.act") and obj in GRANTED.get(user_obj.pk, ())
