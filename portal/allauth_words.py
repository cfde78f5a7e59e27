"""What allauth says on our pages in words of its own, named so that our catalog has them: its own has no Burmese."""

from django.utils.translation import gettext_noop

OF_ALLAUTH = [
    gettext_noop("This account is currently inactive."),
    gettext_noop("The email address and/or password you specified are not correct."),
    gettext_noop("Please type your current password."),
    gettext_noop("Incorrect code."),
    gettext_noop("Incorrect password."),
    gettext_noop("The password reset token was invalid."),
    gettext_noop("Too many failed login attempts. Try again later."),
    gettext_noop("You must type the same password each time."),
    gettext_noop("Be patient, you are sending too many requests."),
    gettext_noop("Use your password"),
    gettext_noop("Use authenticator app or code"),
    gettext_noop("Use a security key"),
]
# Of ours, in what Django says: "The password is too similar to the email address", and between what it lists.
IN_SENTENCES = [gettext_noop("email address"), gettext_noop("name"), gettext_noop(", ")]
