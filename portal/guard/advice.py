"""How each sort of credential is turned off, in steps that a student can do now."""

from portal.guard import patterns

AWS = (
    "Open IAM in the AWS console, then Users, your user, Security credentials.",
    "Under Access keys make the key inactive, then delete it. Nothing less helps: the key was copied with the file.",
    "Make a new key only if you need one; the labs of this course work with temporary credentials.",
    "Look at Billing and at what runs in all regions. What you did not start, tell your instructor of.",
)
LEASED = (
    "These credentials end by themselves, within an hour for a lab of this portal.",
    "Is the lab still on? Finish it, and start it again: that ends them now.",
)
STEPS = {
    patterns.AWS_ID: AWS,
    patterns.AWS_SECRET: AWS,
    patterns.AWS_SESSION: LEASED,
    patterns.PRIVATE_KEY: (
        "Take its public half off every machine and service that lets it in: authorized_keys, EC2 key pairs, GitHub.",
        "Make a new pair, and keep the private half on your own computer.",
    ),
    patterns.GITHUB: ("On GitHub open Settings, Developer settings, Personal access tokens, and delete this token.",),
    patterns.SLACK: ("In Slack's app settings (api.slack.com/apps) revoke the token, or delete the webhook.",),
    patterns.GOOGLE: ("In Google's console under APIs and services, Credentials, delete the key and make a new one.",),
    patterns.HUGGING_FACE: ("On huggingface.co open Settings, Access tokens, and invalidate this token.",),
    patterns.OPENAI: ("On your provider's page of API keys revoke this key. Limit what the next one may spend.",),
    patterns.DATABASE: ("Change the password of this database user, and everywhere where it is used.",),
    patterns.TOKEN: ("Revoke the token where you got it, and make a new one.",),
    patterns.PASSWORD: ("Change this password, and everywhere where you use the same one.",),
}


def steps(kind: str) -> tuple[str, ...]:
    return STEPS.get(kind, STEPS[patterns.TOKEN])
