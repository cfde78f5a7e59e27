#!/bin/sh
# Makes .bench-venv, where bench/census.py finds Cloud Custodian. Run again: it changes nothing.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

if [ -x .boot/bin/uv ]; then
    [ -x .bench-venv/bin/python ] || .boot/bin/uv venv --quiet --python "$python" .bench-venv
    .boot/bin/uv pip install --quiet --python .bench-venv/bin/python -r bench/requirements-peers.txt
else
    [ -x .bench-venv/bin/python ] || "$python" -m venv .bench-venv
    .bench-venv/bin/python -m pip install --quiet -r bench/requirements-peers.txt
fi
.bench-venv/bin/custodian version
