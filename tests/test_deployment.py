"""The office's way to run it stays valid: compose file, image and lock files, checked without Docker."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
KNOWN = {f"SRK_{name.upper()}" for name in Settings.model_fields}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_every_setting_in_the_compose_file_exists(compose: dict[str, Any]) -> None:
    given = {
        name
        for service in compose["services"].values()
        for name in service.get("environment", {})
        if name.startswith("SRK_")
    }
    assert given
    assert given <= KNOWN


def test_every_dependency_in_the_compose_file_is_a_service(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith(".") or source in compose["volumes"]


def test_only_loopback_is_published_and_no_secret_is_written(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert value.startswith("${"), name


def test_commands_of_the_compose_file_exist(compose: dict[str, Any]) -> None:
    from typer.main import get_command

    from service.cli.main import app

    command = compose["services"]["migrate"]["command"]
    assert command[0].endswith("bin/sozialraumkarte")
    group = get_command(app)
    database = group.commands["db"]  # type: ignore[attr-defined]
    options = {name for parameter in database.commands[command[2]].params for name in parameter.opts}
    assert command[3] in options


def test_the_nightly_renewal_is_a_script_that_runs(compose: dict[str, Any]) -> None:
    from typer.main import get_command

    from service.cli.main import app

    renewal = compose["services"]["renewal"]
    assert renewal["entrypoint"] == ["/bin/sh", "-c"]
    (script,) = renewal["command"]
    script = script.replace("$$", "$")  # as compose hands it on
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0
    pause = re.search(r"sleep (\$\(\(.*\)\)) &", script)
    assert pause is not None
    said = subprocess.run(["sh", "-c", f"echo {pause[1]}"], check=True, capture_output=True, text=True)
    assert 0 <= int(said.stdout) < 86_400
    command = re.search(r"bin/sozialraumkarte (\S+)", script)
    assert command is not None
    assert command[1] in get_command(app).commands  # type: ignore[attr-defined]
    assert renewal["read_only"]


def test_the_image_copies_and_runs_what_is_there() -> None:
    lines = (PROJECT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    used = re.findall(r"scripts/\S+", "\n".join(lines))
    assert used
    assert all((PROJECT / name).exists() for name in used)
    assert any(line.startswith("USER ") and line != "USER root" for line in lines)


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_locks_pin_with_hashes_and_name_no_host(name: str) -> None:
    text = (PROJECT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    pinned = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    assert len(pinned) > 30
    assert all("==" in line for line in pinned)
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "index-url" not in text


def test_the_browser_lock_names_no_host() -> None:
    text = (PROJECT / "layers" / "assets" / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity"' in text
    assert '"resolved"' not in text


def test_runtime_is_part_of_dev() -> None:
    def pins(name: str) -> set[str]:
        text = (PROJECT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
        return {line.split(" \\")[0] for line in text.splitlines() if re.match(r"[a-z0-9]", line)}

    assert pins("runtime") <= pins("dev")
