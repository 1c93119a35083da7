"""Checks bans, licences and sources of the dependency graph against deny.toml.

Usage: cargo tree --locked --workspace --target all --prefix none --format '{p}|{l}' |
           python3 .ci/dependencies.py

The same rules as `cargo deny check bans licenses sources`, which .ci/long runs, without the minutes
that installing cargo-deny takes. The graph comes from `cargo tree`, because `cargo metadata` and
Cargo.lock also hold optional crates that no feature turns on (ring is one).
"""

import re
import sys
import tomllib

LICENCE = re.compile(r"[A-Za-z0-9.+-]+(?: WITH [A-Za-z0-9.-]+)?")


def allowed(expression: str, allow: set[str]) -> bool:
    """Whether an SPDX expression can be met with the allowed licences alone."""
    # Before SPDX, crates separated alternatives by a slash.
    expression = expression.replace("/", " OR ")

    def word(match: re.Match[str]) -> str:
        text = match.group(0)
        return text.lower() if text in ("AND", "OR") else str(text in allow)

    formula = LICENCE.sub(word, expression)
    if not re.fullmatch(r"(?:True|False|and|or|[() ])+", formula):
        return False
    return bool(eval(formula))  # nothing but the words of the line above


def main() -> int:
    with open("deny.toml", "rb") as file:
        rules = tomllib.load(file)
    with open("Cargo.lock", "rb") as file:
        locked = tomllib.load(file)["package"]
    allow = set(rules["licenses"]["allow"])
    banned = {ban["crate"] for ban in rules["bans"]["deny"]}
    registries = {f"registry+{url}" for url in rules["sources"]["allow-registry"]}

    found = []
    # A package that was printed before ends in "(*)"; one of the workspace in its path.
    graph = {line.removesuffix(" (*)") for line in sys.stdin.read().splitlines() if line.strip()}
    for line in sorted(graph):
        package, _, licence = line.partition("|")
        name = package.split()[0]
        if name in banned:
            found.append(f"{package} is banned: `cargo tree -i {name}` says who needs it")
        if not allowed(licence, allow):
            found.append(f"{package} has the licence {licence!r}")
    for package in locked:
        # A package of the workspace has no source.
        if package.get("source", next(iter(registries))) not in registries:
            found.append(f"{package['name']} comes from {package['source']}")

    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(graph)} packages, {len(found)} problems")
    return 1 if found or not graph else 0


if __name__ == "__main__":
    sys.exit(main())
