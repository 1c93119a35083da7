"""Checks answers against the specification's schema.

The package mcp_types has it as models generated from schema.json of each revision. Reads lines of
{"method", "version", "result"}; prints what does not fit.
"""

import json
import sys

from mcp_types.methods import SERVER_RESULTS, validate_server_result

failures = 0
checked = 0
for line in sys.stdin:
    seen = json.loads(line)
    method, version = seen["method"], seen["version"]
    if (method, version) not in SERVER_RESULTS:
        continue
    checked += 1
    try:
        validate_server_result(method, version, seen["result"])
    except Exception as error:
        failures += 1
        print(f"{method} of {version}: {error}\n{json.dumps(seen['result'])[:2000]}")
print(f"{checked} checked, {failures} do not fit")
sys.exit(1 if failures or not checked else 0)
