"""manage.py reset_second_factor EMAIL: for the last admin who lost theirs."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal import second_factor
from portal.models import User


class Command(BaseCommand):
    help = "Take a lost second factor away: that person is signed out everywhere, and sets up another."

    def add_arguments(self, parser):
        parser.add_argument("email")

    def handle(self, *, email, **options):
        person = User.objects.filter(email=email.lower()).first()
        if person is None:
            raise CommandError(f"Nobody has the address {email}.")
        second_factor.reset(person, by=None, now=timezone.now())
        self.stdout.write(f"{person} signs in with the password alone now, and is led to set up another.")
