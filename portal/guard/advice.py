"""What each sort of credential is called, and how it is turned off, in steps that a student can do now.

Said in the reader's language. The scanner's own process has no use for it and does not import it.
"""

from django.utils.translation import gettext_lazy

from portal.guard import patterns

TITLES = {
    patterns.AWS_ID: gettext_lazy("AWS access key"),
    patterns.AWS_SECRET: gettext_lazy("AWS secret key"),
    patterns.AWS_SESSION: gettext_lazy("AWS session token"),
    patterns.PRIVATE_KEY: gettext_lazy("private key"),
    patterns.GITHUB: gettext_lazy("GitHub token"),
    patterns.SLACK: gettext_lazy("Slack token"),
    patterns.GOOGLE: gettext_lazy("Google key"),
    patterns.HUGGING_FACE: gettext_lazy("Hugging Face token"),
    patterns.OPENAI: gettext_lazy("key of a language model's API"),
    patterns.DATABASE: gettext_lazy("password in an address"),
    patterns.TOKEN: gettext_lazy("token or API key"),
    patterns.PASSWORD: gettext_lazy("password"),
}
CREDENTIAL = gettext_lazy("credential")

AWS = (
    gettext_lazy("Open IAM in the AWS console, then Users, your user, Security credentials."),
    gettext_lazy(
        "Under Access keys make the key inactive, then delete it. Nothing less helps: the key was copied with the file."
    ),
    gettext_lazy("Make a new key only if you need one; the labs of this course work with temporary credentials."),
    gettext_lazy("Look at Billing and at what runs in all regions. What you did not start, tell your instructor of."),
)
LEASED = (
    gettext_lazy("These credentials end by themselves, within an hour for a lab of this portal."),
    gettext_lazy("Is the lab still on? Finish it, and start it again: that ends them now."),
)
STEPS = {
    patterns.AWS_ID: AWS,
    patterns.AWS_SECRET: AWS,
    patterns.AWS_SESSION: LEASED,
    patterns.PRIVATE_KEY: (
        gettext_lazy(
            "Take its public half off every machine and service that lets it in: authorized_keys, EC2 key pairs, "
            "GitHub."
        ),
        gettext_lazy("Make a new pair, and keep the private half on your own computer."),
    ),
    patterns.GITHUB: (
        gettext_lazy("On GitHub open Settings, Developer settings, Personal access tokens, and delete this token."),
    ),
    patterns.SLACK: (
        gettext_lazy("In Slack's app settings (api.slack.com/apps) revoke the token, or delete the webhook."),
    ),
    patterns.GOOGLE: (
        gettext_lazy("In Google's console under APIs and services, Credentials, delete the key and make a new one."),
    ),
    patterns.HUGGING_FACE: (
        gettext_lazy("On huggingface.co open Settings, Access tokens, and invalidate this token."),
    ),
    patterns.OPENAI: (
        gettext_lazy("On your provider's page of API keys revoke this key. Limit what the next one may spend."),
    ),
    patterns.DATABASE: (gettext_lazy("Change the password of this database user, and everywhere where it is used."),),
    patterns.TOKEN: (gettext_lazy("Revoke the token where you got it, and make a new one."),),
    patterns.PASSWORD: (gettext_lazy("Change this password, and everywhere where you use the same one."),),
}


def title(kind: str) -> str:
    """What a reader calls such a credential; of a kind that nobody knows any more "credential"."""
    return str(TITLES.get(kind, CREDENTIAL))


def steps(kind: str) -> tuple[str, ...]:
    return tuple(str(step) for step in STEPS.get(kind, STEPS[patterns.TOKEN]))
