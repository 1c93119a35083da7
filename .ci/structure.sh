#!/usr/bin/env bash
# The rules of docs/architecture.md that a compiler does not know.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0

# no_match WHAT PATTERN PATH...: fails when a line of the files matches.
no_match() {
    local what=$1 pattern=$2
    shift 2
    local hits
    if hits=$(grep -rnE --include='*.rs' "$pattern" "$@"); then
        printf '%s:\n%s\n' "$what" "$hits" >&2
        failed=1
    fi
}

src=session-pool/src

# Layers look only down. Comments may name what they like.
code='^[^/]*'
no_match 'the domain layer is pure: no runtime, no I/O, no clock' \
    "$code"'(\btokio\b|std::fs|std::process|std::env|std::net::(Tcp|Udp|ToSocket)|Instant::now|SystemTime::now|Timestamp::now\(|crate::(host|session|http|demo)\b)' \
    "$src/domain"
no_match 'the host layer uses only the domain' "$code"'crate::(session|http|demo)\b' "$src/host"
no_match 'the session layer uses only host and domain' "$code"'crate::(http|demo)\b' "$src/session"

# Lints are switched off for tests only, and work is finished, not postponed.
no_match 'dead code is deleted, not allowed' 'allow\((dead_code|unused)' session-pool crates
no_match 'no test is ignored for good' '#\[ignore' session-pool crates
no_match 'nothing is left to do' '\b(todo|unimplemented)!' session-pool crates
no_match 'no path of one machine' '"[^"]*\.\./shared' session-pool crates

# A file that needs more lines describes more than one thing.
while IFS= read -r file; do
    lines=$(wc -l <"$file")
    if ((lines > 500)); then
        printf '%s has %d lines, more than 500\n' "$file" "$lines" >&2
        failed=1
    fi
done < <(git ls-files '*.rs' '*.ps1' '*.psm1' '*.sh' '*.py' '.ci/*')

exit "$failed"
