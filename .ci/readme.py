"""Runs the README's console lines against a running demo and compares the answers.

Usage: python3 .ci/readme.py README.md HOME PORT [--record | --deployed PERSON MM]

Lines that begin with `$ ` in ```console blocks are run in one shell, in their order, with HOME as
the home directory and PORT in the place of 5200; what stands below a line is the expected answer.
Ids, times and codes differ from run to run and are not compared; the home directory is `~`, and
the directory of the clone `~/clone`. An answer that depends on the
demo's sign-in may take a moment: a line is repeated for a while before it counts as different.
--record writes what was answered into the README. --deployed runs the lines against a pool that is
not the demo, with its state in ~/.m365-state; the demo on the port PERSON has the same directory, and
is the person who enters codes; MM is the directory of `mm`.
"""

import os
import re
import subprocess
import sys
import time

BLOCK = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
PATIENCE_SECONDS = 30
VOLATILE = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\b[A-Z0-9]{9}\b"), "CODE"),
    (re.compile(r'("(?:expires_in|pid)": ?)\d+'), r"\1N"),
    (re.compile(r"\b\d+ more minutes"), "N more minutes"),
]


def stable(text: str) -> str:
    for pattern, name in VOLATILE:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def exchanges(block: str) -> list[tuple[str, str]]:
    """The block's commands, each with what stands below it."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            command, below = found[-1]
            found[-1] = (command, below + line + "\n")
    return found


class Deployment:
    """What is said otherwise where a pool is not the demo."""

    def __init__(self, person: str, directory: str) -> None:
        token = "$(cat ~/.m365-demo/state/pool.token)"
        request = f"curl -s -H 'Content-Type: application/json' -H \"Authorization: Bearer {token}\""
        self.person = f"{request} localhost:{person}/demo/sign-in"
        self.directory = directory

    def line(self, command: str) -> str:
        if "/demo/sign-in" in command:
            return command.replace("pool /demo/sign-in", self.person)
        return command.replace("~/.m365-demo/state", "~/.m365-state").replace(
            "$PWD/target/release", self.directory
        )

    def answer(self, text: str) -> str:
        return text.replace("/.m365-state", "/.m365-demo/state").replace(
            self.directory, f"{os.getcwd()}/target/release"
        )


class Shell:
    """One bash that keeps its variables from line to line."""

    END = "--end-of-answer--"

    def __init__(self, home: str) -> None:
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"HOME": home, "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )

    def run(self, line: str) -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{line}\nprintf '\\n{self.END}\\n'\n")
        self.process.stdin.flush()
        answer = ""
        for read in self.process.stdout:
            if read == self.END + "\n":
                return answer.rstrip("\n")
            answer += read
        raise SystemExit(f"the shell ended at: {line}")

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def main() -> int:
    readme, home, port = sys.argv[1:4]
    record = sys.argv[4:] == ["--record"]
    deployed = Deployment(*sys.argv[5:]) if sys.argv[4:5] == ["--deployed"] else None
    with open(readme, encoding="utf-8") as file:
        text = file.read()
    shell = Shell(home)
    differing = count = 0

    def play(match: re.Match[str]) -> str:
        nonlocal differing, count
        played = ""
        for command, expected in exchanges(match.group(1)):
            count += 1
            deadline = time.monotonic() + PATIENCE_SECONDS
            line = command.replace("5200", port)
            line = deployed.line(line) if deployed else line
            while True:
                answer = shell.run(line).replace(port, "5200")
                answer = deployed.answer(answer) if deployed else answer
                answer = answer.replace(os.getcwd(), "~/clone").replace(home, "~")
                if stable(answer) == stable(expected):
                    break
                if record or time.monotonic() > deadline:
                    differing += 1
                    print(f"$ {command}\nexpected:\n{expected}\nanswered:\n{answer}\n", file=sys.stderr)
                    break
                time.sleep(0.2)
            if record:
                # The demo polls for the answer of a sign-in twice a second.
                time.sleep(2 if "/demo/sign-in" in command else 0)
            played += f"$ {command}\n" + (f"{answer}\n" if answer else "")
        return played

    recorded = BLOCK.sub(play, text)
    shell.close()
    if record:
        with open(readme, "w", encoding="utf-8") as file:
            file.write(recorded)
        return 0
    print(f"{count} lines, {differing} differ")
    return 1 if differing or not count else 0


if __name__ == "__main__":
    sys.exit(main())
