"""Checks a server's lines against the specification's schema.

The package mcp_types has it as models generated from schema.json of each revision. Reads lines of
{"method", "version", "message"}, where method is that of the request which the message answers;
prints what does not fit.
"""

import json
import sys

from mcp_types.jsonrpc import jsonrpc_message_adapter
from mcp_types.methods import (
    SERVER_RESULTS,
    parse_server_notification,
    parse_server_request,
    serialize_server_result,
)

MODERN = "2026-07-28"
KINDS = {"result", "error", "method"}
# The extension io.modelcontextprotocol/tasks is no part of the schema.
TASK = {"taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs", "resultType"}


def check(method: str | None, version: str, message: dict) -> str:
    """The kind of message; raises where it does not fit."""
    jsonrpc_message_adapter.validate_python(message)
    [kind] = KINDS & message.keys()
    # A method with an id is a question to the client: only before 2026, where it is a result.
    asks = kind == "method" and "id" in message
    known = {"jsonrpc", kind} | ({"params"} if kind == "method" else set())
    if asks or kind != "method":
        known.add("id")
    if unknown := message.keys() - known:
        raise ValueError(f"a message has no {unknown}")
    if asks:
        parse_server_request(message["method"], version, message.get("params"))
    elif kind == "method":
        parse_server_notification(message["method"], version, message.get("params"))
    elif kind == "error":
        if unknown := message["error"].keys() - {"code", "message", "data"}:
            raise ValueError(f"an error has no {unknown}")
    elif message["result"].get("resultType") == "task":
        if missing := TASK - message["result"].keys():
            raise ValueError(f"a task needs {missing}")
        return "extension"
    elif (method, version) in SERVER_RESULTS:
        result = message["result"]
        fitting = serialize_server_result(method, version, result)
        # The models skip what they do not know, where a schema may allow it.
        if version == MODERN and (unknown := result.keys() - fitting.keys()):
            raise ValueError(f"a result of {method} has no {unknown}")
    else:
        return "extension"
    return kind


counts: dict[str, int] = {}
failures = 0
for line in sys.stdin:
    seen = json.loads(line)
    try:
        kind = check(seen["method"], seen["version"], seen["message"])
        counts[kind] = counts.get(kind, 0) + 1
    except Exception as error:
        failures += 1
        print(f"{seen['method']} of {seen['version']}: {error}\n{json.dumps(seen['message'])[:2000]}")
print(f"{counts} fit, {failures} do not")
sys.exit(1 if failures or not KINDS <= counts.keys() else 0)
