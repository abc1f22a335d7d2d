#!/bin/sh
# Renews locks/: every dependency pinned with hashes, for all supported Python versions, naming no index host.
# Needs uv on the PATH or in $UV.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-uv}
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-header --no-annotate "$@"
}
compile pyproject.toml --group setup --group dev -o locks/dev.txt
# The runtime lock is the same resolution without the tools of development.
compile pyproject.toml --group setup --constraint locks/dev.txt -o locks/runtime.txt
