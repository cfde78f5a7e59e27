#!/bin/sh
# install.sh PYTHON VENV REQUIREMENTS: a virtual environment that holds these requirements. Needs Python 3.11 and either
# uv or pip, nothing else. Does nothing when the requirements and the Python are those that it was made from.
set -eu
python=$1 venv=$2 requirements=$3
uv_version=0.13.9
boot=.boot
export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*" >&2; }

command -v "$python" >/dev/null 2>&1 || {
    say "There is no $python here. Install Python 3.11 or newer, or name yours: make PYTHON=/path/to/python3 TARGET"
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "This is $("$python" --version); Lightsout needs 3.11 or newer. Name one: make PYTHON=/path/to/python3.11 TARGET"
    exit 1
}

# A file of requirements may name another by -r.
named=$(sed -n 's/^-r //p' "$requirements")
# shellcheck disable=SC2086
wanted=$({ "$python" --version; cat $named "$requirements"; } | cksum)
stamp=$venv/.made-from-$(basename "$requirements")
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

# uv takes a tenth of pip's time. `pip --target` is allowed where the system's Python refuses to be installed into.
if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=$boot/bin/uv
    if [ ! -x "$uv" ]; then
        "$python" -m pip --version >/dev/null 2>&1 || {
            say "$python has no pip. On Debian: apt install python3-pip. (An installed uv does as well.)"
            exit 1
        }
        say "Fetching uv, which installs the rest."
        "$python" -m pip install --quiet --target "$boot" "uv==$uv_version" ||
            say "There is no uv for this machine: pip does it, which takes minutes."
    fi
fi

say "Installing $requirements into $venv."
if command -v "$uv" >/dev/null 2>&1; then
    export UV_PYTHON_DOWNLOADS=never
    [ -x "$venv/bin/python" ] || "$uv" venv --quiet --python "$python" "$venv"
    # Compiled once and here: else every process that starts compiles what it imports, and several start at once.
    "$uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" -r "$requirements"
else
    # Debian's Python has venv only with another package; virtualenv comes by pip.
    [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv" 2>/dev/null || {
        rm -rf "$venv"
        "$python" -m pip install --quiet --target "$boot" virtualenv==21.15.8
        PYTHONPATH=$boot "$python" -m virtualenv --quiet "$venv"
    }
    "$venv/bin/python" -m pip install --quiet -r "$requirements"
fi
printf '%s\n' "$wanted" >"$stamp"
