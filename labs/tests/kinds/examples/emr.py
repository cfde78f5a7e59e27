"""EMR: clusters of machines, and applications without any."""

from labs.tests.kinds.examples.world import Example

EXAMPLES = {
    "emr-cluster": Example(
        params=lambda account: {"type": "m5.xlarge", "cores": 2, "role": account.role(), "profile": "by-hand"},
        running={
            "machines": [{"type": "m5.xlarge", "spot": False, "count": 3}],
            "disks": [
                {"type": "gp3", "gb": 15, "iops": 3000, "mibps": 125, "count": 3},
                {"type": "gp3", "gb": 32, "iops": 3000, "mibps": 125, "count": 3},
            ],
            "public_ips": 3,
        },
        missing_id="j-0123456789ABC",
    ),
    "emr-serverless-application": Example(
        running={
            "status": "STARTED",
            "architecture": "X86_64",
            "ready": [{"kind": "Driver", "count": 2, "vcpus": "4", "gb": "16"}],
        },
        missing_id="00abcdefghijklmn",
    ),
}
