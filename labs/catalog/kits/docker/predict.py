"""python3 predict.py 402.10 online: how likely is it fraud, and which machine says so?"""

import json
import platform
import sys

from score import score

amount, merchant = sys.argv[1:3]
fraud = score({"amount_usd": amount, "merchant_type": merchant})
print(json.dumps({"fraud": round(fraud, 4), "python": platform.python_version(), "machine": platform.node()}))
