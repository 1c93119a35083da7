"""The official Python client sends mail by graph_request: one process a call, in one era.

Arguments: mode (auto or legacy), the command to start, the call as JSON. Prints what it saw as one
JSON object; the Rust test judges it.
"""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import ElicitResult

MODE, COMMAND = sys.argv[1:3]
CALL = json.loads(sys.argv[3])
MESSAGES = []


def person(result):
    async def asked(_context, params):
        MESSAGES.append(params.message)
        return result

    return asked


async def call(arguments: dict, callback=None) -> dict:
    server = StdioServerParameters(command=COMMAND, args=[], env=dict(os.environ))
    async with Client(server, mode=MODE, elicitation_callback=callback) as client:
        result = await client.call_tool("graph_request", arguments)
    text = "".join(block.text for block in result.content)
    return {"text": text, "structured": result.structured_content, "error": result.is_error}


async def main() -> None:
    agreed = await call(CALL, person(ElicitResult(action="accept", content={"confirm": True})))
    unchecked = await call(CALL, person(ElicitResult(action="accept", content={"confirm": False})))
    declined = await call(CALL, person(ElicitResult(action="decline")))
    plain = await call(CALL)
    code = plain["structured"]["confirmation"]["code"]
    coded = await call({**CALL, "confirmation": code})
    seen = {"agreed": agreed, "unchecked": unchecked, "declined": declined, "plain": plain}
    print(json.dumps({**seen, "coded": coded, "messages": MESSAGES}))


asyncio.run(main())
