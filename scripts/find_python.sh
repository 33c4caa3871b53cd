#!/bin/sh
# Prints the path of a Python that can build the environment, or "error: " and one sentence that says why there is none.
# Usage: find_python.sh [PYTHON]; with an argument only that one is considered. Runs in any POSIX shell.
#
# Each candidate is run, not only looked up: a pyenv shim exists for versions that it then refuses to start.

report='import sys
print("%d.%d.%d" % sys.version_info[:3] if sys.version_info >= (3, 11) else "old %d.%d.%d" % sys.version_info[:3])
import venv, ensurepip
print(sys.executable)'

judge() {
    said=$("$1" -c "$report" 2>/dev/null </dev/null)
    case $? in
        0) ;;
        *) case $said in "" | old*) ;; *) said="bare $said" ;; esac ;;
    esac
    first=$(printf '%s\n' "$said" | head -n 1)
    case $first in
        "") echo "missing" ;;
        old*) echo "old ${first#old }" ;;
        bare*) echo "bare ${first#bare }" ;;
        *) printf '%s\n' "found $(printf '%s\n' "$said" | tail -n 1)" ;;
    esac
}

if [ -n "$1" ]; then
    verdict=$(judge "$1")
    case $verdict in
        found*) printf '%s\n' "${verdict#found }" ;;
        old*) printf 'error: Python 3.11 or later is needed and %s is %s; name another, as in: make PYTHON=python3.12 ...\n' "$1" "${verdict#old }" ;;
        bare*) printf 'error: %s (%s) comes without the venv module; install it (on Debian: python3-venv) or name another Python, as in: make PYTHON=python3.12 ...\n' "$1" "${verdict#bare }" ;;
        *) printf 'error: %s does not run as a Python; name one of 3.11 or later, as in: make PYTHON=python3.12 ...\n' "$1" ;;
    esac
    exit 0
fi

best=""
for name in python3.13 python3.12 python3.11 python3 python; do
    # Every place on PATH, because a broken shim may stand before a Python that works.
    old_ifs=$IFS
    IFS=:
    for folder in $PATH; do
        IFS=$old_ifs
        [ -x "$folder/$name" ] || continue
        verdict=$(judge "$folder/$name")
        case $verdict in
            found*)
                printf '%s\n' "${verdict#found }"
                exit 0
                ;;
            bare*) best="error: $name (${verdict#bare }) comes without the venv module; install it (on Debian: python3-venv) or name another Python with PYTHON=..." ;;
            old*) [ -n "$best" ] || best="error: Python 3.11 or later is needed and $name is ${verdict#old }; install a newer one or name it with PYTHON=..." ;;
        esac
    done
    IFS=$old_ifs
done
printf '%s\n' "${best:-error: No Python was found; install 3.11 or later or name it with PYTHON=...}"
