"""EventBridge: rules, schedules and their groups. None of these fires while a test looks at it."""

from labs.tests.kinds.examples.world import Example


def queue(account) -> str:
    return f"arn:aws:sqs:us-east-1:{account.id}:told"


EXAMPLES = {
    "eventbridge-rule": Example(
        params=lambda account: {"schedule": "rate(7 days)", "targets": [{"id": "queue", "arn": queue(account)}]}
    ),
    "scheduler-group": Example(),
    "scheduler-schedule": Example(
        params=lambda account: {
            "schedule": "cron(0 2 1 1 ? 2099)",
            "zone": "Asia/Yangon",
            "target": queue(account),
            "role_arn": account.role(),
            "input": {"day": 1},
        },
        missing_id="default/nobodys",
    ),
}
