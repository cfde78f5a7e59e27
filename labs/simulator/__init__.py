"""Practice mode: the AWS simulator as a process of ours, on top of moto. Constants only; importing this starts nothing.

What a reader finds where: `gate.py` is the order in which a call is judged; `keys.py` and `signature.py` say who
calls; `outside.py` is stricter with what comes through the portal's gateway; `refusals.py` speaks AWS's error
formats; `faults.py` and `ledger_of_calls.py` serve tests and benches; `desk.py` answers /lightsout/*; `amendments/`
makes moto behave as AWS does, one subject a file; `clockwork.py` fires what is due (`when.py`, `targets.py`),
`executions.py` runs state machines, both by calls `within.py`; `invoking.py` and `sandbox.py` run Lambda functions,
where the operator says so; `execute_api.py` answers for API Gateway; `server.py` puts it together.
"""

# The portal's own key, taken for AssumeRole and nothing else. Its secret is the operator's, made at each start: who can
# read SECRET_FILE runs this practice mode, and nobody else on the machine gets into an account.
ROOT_KEY_ID = "AKIALIGHTSOUTPRACTICE"
# The account that the portal itself is in. No student ever has it: what nobody may own lands nowhere.
PORTAL_ACCOUNT = "999999999999"
# Every answer carries the id of this start of the simulator: another id is another world.
BOOT_HEADER = "x-lightsout-boot"
BOOT_PATH = "/lightsout/boot"
# Faults, counts, resets and the root's key: the secret lies in VAR/simulator.secret, readable by its owner alone.
OPERATOR_HEADER = "x-lightsout-operator"
SECRET_FILE = "simulator.secret"
# Students' own machines come in by the portal's gateway (portal/gateway.py), under this path, which their clients sign.
# The header says so on the way from there: it makes the gate stricter, and opens nothing. See `outside.py`.
GATEWAY_PATH = "/practice"
GATEWAY_HEADER = "x-lightsout-gateway"
READS_BODY, TOO_LARGE, NO_LENGTH = "reads-body", "too-large", "no-length"
# What one answers with who asks for something that practice mode cannot do.
NOT_IN_PRACTICE = "NotImplementedInPractice"
# Where the APIs of API Gateway answer: /execute-api/<api id>/<stage>/<path>.
EXECUTE_API = "/execute-api/"
