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

# Layers look only down: each module of the library has one (docs/architecture.md), and names none
# above it. Comments may name what they like, and tests what they need.
code='^[^/]*'
files='own_file directories credential token_file tls audit'
entry='audit_command cli compose_command config confirm_command demo doctor healthcheck init install_pwsh isolation lib
    logging main policy_command pool_client port_owner powershell router serve sign_in_command'

# none_of MODULE...: a pattern for uses of these.
none_of() {
    local IFS='|'
    printf '%scrate::(%s)\\b' "$code" "$*"
}

no_match 'the domain layer is pure: no runtime, no I/O, no clock' \
    "$code"'(\btokio\b|std::fs|std::process|std::env|std::net::(Tcp|Udp|ToSocket)|Instant::now|SystemTime::now|Timestamp::now\()' \
    "$src/domain"
# shellcheck disable=SC2086 # lists of words
{
    no_match 'the domain uses nothing above it' \
        "$(none_of host sign_in session http $files $entry)" "$src/domain"
    for module in $files; do
        no_match "$module is about files: it uses only the domain" \
            "$(none_of host sign_in session http $entry)" \
            $(find "$src" -path "$src/$module.rs" -o -path "$src/$module/*.rs")
    done
    no_match 'the host layer uses only the domain' "$(none_of sign_in session http $entry)" "$src/host"
    # Its tests sign in to the demo's stand-in.
    no_match 'sign-ins use only the domain' "$(none_of host session http $entry)" \
        $(find "$src/sign_in" -name '*.rs' ! -name '*tests.rs')
    no_match 'the session layer uses only host and domain' "$(none_of http $entry)" "$src/session"
    no_match 'the HTTP layer uses no entry point' "$(none_of $entry)" "$src/http"
}
for path in "$src"/*; do
    module=$(basename "$path" .rs)
    case " domain host sign_in session http $(echo $files $entry) " in
        *" $module "*) ;;
        *)
            printf '%s is in no layer: put it into one, here and in docs/architecture.md\n' "$path" >&2
            failed=1
            ;;
    esac
done

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
