"""Practice mode: the AWS simulator as a process of ours, on top of moto. Constants only; importing this starts nothing."""

# Dummy keys: the simulator takes them from the portal and from nobody else, and only for AssumeRole. They open nothing
# at AWS, and the simulator listens on loopback alone.
ROOT_KEY_ID = "AKIALIGHTSOUTPRACTICE"
ROOT_SECRET = "practice-only-this-opens-nothing-at-aws"  # noqa: S105
# Every answer carries the id of this start of the simulator: another id is another world.
BOOT_HEADER = "x-lightsout-boot"
BOOT_PATH = "/lightsout/boot"
