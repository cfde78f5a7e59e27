"""The simulator, for tests of the school that start labs."""

from labs.simulator.testing import simulator, simulator_process  # noqa: F401
