"""ECR: a repository that keeps its newest images."""

from labs.tests.kinds.examples.world import Example

KEEP_THREE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
            "action": {"type": "expire"},
        }
    ]
}

EXAMPLES = {
    "ecr-repository": Example(
        params=lambda account: {"lifecycle": KEEP_THREE, "scan": True},
        running={"bytes": 2 * 2**30},
    ),
}
