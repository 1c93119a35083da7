"""The official Python client against mm: one process a call, in one era, with or without tasks.

Arguments: mode (auto or legacy), tasks or plain, the command to start. The environment is passed
on. Prints what it saw as one JSON object; the Rust test judges it.
"""

import asyncio
import json
import os
import sys
from typing import Literal

import mcp_types as types
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.client.stdio import StdioServerParameters
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

MODE, TASKS, COMMAND = sys.argv[1], sys.argv[2] == "tasks", sys.argv[3]
CONNECTION = os.environ.get("TEST_CONNECTION", "Contoso")
SLOW = os.environ["TEST_SLOW_COMMAND"]
QUICK = {"connection": CONNECTION, "module": "exo", "command": "1+1"}


class Wire(types.Result):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class CreateTask(Wire):
    result_type: Literal["task"] = "task"
    task_id: str
    status: str


class TaskState(Wire):
    task_id: str
    status: str
    result: dict | None = None


class TaskParams(types.RequestParams):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    task_id: str


class GetTask(types.Request[TaskParams, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    params: TaskParams


class Tasks(ClientExtension):
    """Declares the extension, and keeps the handle instead of polling."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def claims(self):
        return (ResultClaim(result_type="task", model=CreateTask, resolve=self.resolve),)

    async def resolve(self, task: CreateTask, context: ClaimContext) -> types.CallToolResult:
        self.seen.append(task.task_id)
        return types.CallToolResult(content=[], structured_content={"status": "running"})


def client(extension: Tasks | None = None, **options) -> Client:
    server = StdioServerParameters(command=COMMAND, args=[], env=dict(os.environ))
    extensions = [extension] if extension else None
    return Client(server, mode=MODE, extensions=extensions, **options)


def shown(result: types.CallToolResult) -> dict:
    text = "".join(block.text for block in result.content)
    return {"text": text, "structured": result.structured_content, "error": result.is_error}


async def call(tool: str, arguments: dict, **options) -> dict:
    """One process a call, as gateways do it. The client checks the output schema itself."""
    async with client(**options) as session:
        await session.list_tools()
        return shown(await session.call_tool(tool, arguments))


async def progress() -> list:
    heard = []

    async def hear(value, total, message):
        heard.append([value, total, message])

    async with client() as session:
        arguments = {**QUICK, "command": SLOW, "wait_seconds": 3}
        running = await session.call_tool("run", arguments, progress_callback=hear)
    await call("job", {"id": running.structured_content["job"], "cancel": True})
    return heard


async def task(seen: dict) -> None:
    extension = Tasks()
    async with client(extension) as session:
        result = await session.call_tool("run", {**QUICK, "command": SLOW, "wait_seconds": 0})
        seen["handed_out"] = {"tasks": extension.seen, **shown(result)}
    if not extension.seen:
        running = seen["handed_out"]["structured"]["job"]
        seen["cancelled"] = await call("job", {"id": running, "cancel": True})
        return
    [task_id] = extension.seen
    async with client(Tasks()) as session:
        request = GetTask(params=TaskParams(task_id=task_id))
        state = await session.session.send_request(request, TaskState)
        seen["polled"] = state.status
    seen["cancelled"] = await call("job", {"id": task_id, "cancel": True})
    async with client(Tasks()) as session:
        request = GetTask(params=TaskParams(task_id=task_id))
        state = await session.session.send_request(request, TaskState)
        seen["polled_again"] = state.status


async def main() -> None:
    seen = {}
    async with client() as session:
        seen["version"] = session.protocol_version
        tools = await session.list_tools()
        seen["tools"] = [tool.name for tool in tools.tools]
    seen["connections"] = await call("run", {})
    seen["quick"] = await call("run", QUICK)
    seen["wrong"] = await call("run", {"conection": "x"})
    seen["progress"] = await progress()
    if TASKS:
        await task(seen)
    else:
        running = await call("run", {**QUICK, "command": SLOW, "wait_seconds": 0})
        seen["handed_out"] = running
        seen["cancelled"] = await call("job", {"id": running["structured"]["job"], "cancel": True})
    print(json.dumps(seen))


asyncio.run(main())
