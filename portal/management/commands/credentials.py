"""manage.py credentials EMAIL: temporary credentials of a student's running lab, as shell lines."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from labs import aws, sessions
from labs.models import Launch
from portal.models import User


class Command(BaseCommand):
    help = "Print temporary credentials (as shell exports) for the newest running lab of the person with that email."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--lab", help="Slug of the lab, when more than one is running.")

    def handle(self, email, lab=None, **options):
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"Nobody has the email {email}.")
        launches = Launch.objects.open().filter(owner=user, asked_to_end_at=None).select_related("account", "owner")
        launch = (launches.filter(lab=lab) if lab else launches).order_by("-created_at").first()
        if launch is None:
            raise CommandError(f"{user} has no {lab or 'lab'} running.")
        try:
            made = sessions.credentials(launch, user, timezone.now())
        except (sessions.NoSession, aws.Trouble) as why:
            raise CommandError(str(why)) from why
        for name, value in made.as_env().items():
            self.stdout.write(f"export {name}={value}")
        self.stderr.write(f"# for {launch.lab}, until {made.expires_at:%H:%M} UTC")
