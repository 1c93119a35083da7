"""The official Python client calls graph_request: one process a call, in one era.

Arguments: mode (auto or legacy), the command to start. Prints what it saw as one JSON object; the
Rust test judges it.
"""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters

MODE, COMMAND = sys.argv[1:3]


async def call(arguments: dict) -> dict:
    server = StdioServerParameters(command=COMMAND, args=[], env=dict(os.environ))
    async with Client(server, mode=MODE) as client:
        result = await client.call_tool("graph_request", arguments)
    text = "".join(block.text for block in result.content)
    return {"text": text, "structured": result.structured_content, "error": result.is_error}


async def main() -> None:
    me = {"connection": "contoso", "endpoint": "/me"}
    needed = await call(me)
    answer = needed
    while answer["structured"]["status"] == "auth_required":
        answer = await call(me)
    users = 0
    page = {"connection": "contoso", "endpoint": "/users", "all_pages": True}
    while page:
        fields = (await call(page))["structured"]
        users += len(json.loads(fields["output"]))
        cursor = fields.get("cursor")
        page = {"connection": "contoso", "cursor": cursor} if cursor else None
    refused = await call({"connection": "contoso", "endpoint": "https://evil.example/v1.0/me"})
    print(json.dumps({"needed": needed, "me": answer, "users": users, "refused": refused}))


asyncio.run(main())
