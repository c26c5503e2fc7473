#!/bin/sh
# Makes the virtual environment in $1 with all of medweave, from the versions in requirements.lock.
# Takes the first of $PYTHON, python3.12, python3.11, python3 that is Python 3.11 or 3.12.
set -eu
venv=$1

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; }

python=
for candidate in ${PYTHON:-} python3.12 python3.11 python3 python; do
    if usable "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    cat >&2 <<'MESSAGE'
make setup: found no Python 3.11 or 3.12 with the venv module.
  Debian, Ubuntu:  apt-get install python3.11 python3.11-venv   (or python3.12 python3.12-venv)
  macOS:           brew install python@3.12
  elsewhere:       install it from your system's packages, then: make setup PYTHON=/path/to/python3.12
scispaCy 0.6.2 does not run on Python 3.13 and later, so newer versions are not taken.
MESSAGE
    exit 1
fi

if ! usable "$venv/bin/python"; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$(grep '^uv==' requirements.lock)"
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --requirement requirements.lock
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation --editable .
"$venv/bin/python" -c 'import sys; print("medweave is set up in", sys.prefix)'
