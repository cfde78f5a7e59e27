"""A person. Roles are not here: a person is a student or an instructor of a cohort (Membership)."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def validate_zone(name):
    """Raises ValidationError unless `name` is a time zone that this machine knows, such as Asia/Yangon."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValidationError(
            _("%(name)s is not a time zone. Write it as in Asia/Yangon.") % {"name": repr(name)}
        ) from unknown


def validate_language(code):
    """Raises ValidationError unless the portal is there in this language."""
    if code not in dict(settings.LANGUAGES):
        raise ValidationError(_("%(code)s is not a language of this portal.") % {"code": repr(code)})


class LowerCaseEmailField(models.EmailField):
    """Kept in lower case, so that Aye@example.org and aye@example.org are one person on every engine."""

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return value.lower() if isinstance(value, str) else value


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **facts):
        """A new person. Without a password they cannot sign in until one is set."""
        if not email:
            raise ValueError("A person needs an email address: it is what they sign in with.")
        user = self.model(email=email.strip().lower(), **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **facts):
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **facts})

    def get_by_natural_key(self, email):
        return self.get(email=(email or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    email = LowerCaseEmailField(gettext_lazy("email address"), unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=150, blank=True)
    # Pages show instants in this zone; deadlines show the cohort's zone beside it when the two differ.
    time_zone = models.CharField(max_length=64, default="Asia/Yangon", validators=[validate_zone])
    # "" until they choose one (portal/languages.py). No choices: another language must not need a migration.
    language = models.CharField(max_length=16, blank=True, default="", validators=[validate_language])
    # Made for the demo. Such accounts refuse to run on anything but loopback (portal/checks.py).
    is_demo = models.BooleanField(default=False)
    is_staff = models.BooleanField("admin", default=False)
    is_active = models.BooleanField("may sign in", default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField("last seen", null=True, blank=True, help_text="To ten minutes (portal/seen.py).")

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="one_person_an_email")]

    def __str__(self):
        return self.name or self.email

    @property
    def initials(self):
        """One or two capital letters for the avatar: of the first and the last word of the name."""
        words = (self.name or self.email.partition("@")[0]).split()
        letters = [words[0][0], words[-1][0]] if len(words) > 1 else [words[0][0]] if words else ["?"]
        return "".join(letters).upper()

    def get_full_name(self):
        return str(self)

    def get_short_name(self):
        return (self.name or self.email).split()[0]


class RulesAccepted(models.Model):
    """That a person has read the rules of use of real AWS accounts, and when (portal/rules_of_use.py)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="rules_accepted")
    edition = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "edition"], name="rules_are_accepted_once")]

    def __str__(self):
        return f"{self.user}, edition {self.edition}"
