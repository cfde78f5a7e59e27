"""IAM: who may what."""

from labs.tests.kinds.examples.world import Example

READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lab-bucket/*"}],
}

EXAMPLES = {
    "iam-role": Example(params=lambda account: {"trust": "ec2.amazonaws.com", "inline_policies": {"reads": READS}}),
    "instance-profile": Example(params=lambda account: {"role": account.role().rsplit("/", 1)[-1]}),
}
