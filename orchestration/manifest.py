"""The dbt project as the orchestrator sees it: its manifest, and what of it is published."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ingestion.whole_files import write_whole
from orchestration.dbt_process import PARENT_VARIABLE
from settings import DBT_PROJECT, Settings

Manifest = dict[str, Any]

# How dbt is started: `sys.executable` with these, then dbt's own arguments. -P: the folders of the
# dbt project, which it runs in, are no Python packages.
DBT_ARGUMENTS = ("-P", "-m", "orchestration.dbt_process", "--log-level-file", "none")

# The tag of columns that tell of people.
PERSONAL_DATA = "personal_data"

# What dbt writes into a project folder when it is run by hand there.
_NOT_SOURCES = {"target", "logs", ".user.yml"}


class DbtProjectError(RuntimeError):
    """The dbt project cannot be used as it stands; the message says where and why."""


@dataclass(frozen=True)
class PublishedTable:
    """A model of the folder `published`: what readers may rely on.

    personal: its columns that are tagged as personal data.
    """

    name: str
    grain: tuple[str, ...]
    description: str
    column_descriptions: Mapping[str, str]
    # Columns of personal data.
    personal: frozenset[str] = frozenset()
    # Published as a view over these published tables and views; None: published as a table.
    view_of: tuple[str, ...] | None = None


def dbt_environment(settings: Settings) -> dict[str, str]:
    """What dbt needs to know of the settings; everything else it reads from `run.settings`."""
    return {
        PARENT_VARIABLE: str(os.getpid()),
        "ACCOUNT360_WAREHOUSE_PATH": str(settings.warehouse_path),
        "ACCOUNT360_MEMORY_LIMIT": settings.memory_limit,
        "DBT_TARGET_PATH": str(settings.dbt_target_path),
        "DBT_LOG_PATH": str(settings.dbt_target_path),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def load_manifest(settings: Settings) -> Manifest:
    """The manifest of the dbt project as it stands, parsed again only if a file of it changed.

    Raises `DbtProjectError` with what dbt said when the project does not parse.
    """
    parsed = _parsed_path(settings)
    if not parsed.exists():
        _parse(settings, parsed)
    return _with_singular_tests_attached(json.loads(parsed.read_bytes()))


def compile_manifest(settings: Settings) -> Manifest:
    """The manifest with the SQL of every model, for the warehouse as it stands, or an empty one.

    Raises `DbtProjectError` with what dbt said when the project does not compile.
    """
    _dbt(settings, "compile")
    return json.loads((settings.dbt_target_path / "manifest.json").read_bytes())


def is_parsed(settings: Settings) -> bool:
    """Whether the project is parsed already, as it stands."""
    return _parsed_path(settings).exists()


def published_tables(manifest: Manifest) -> list[PublishedTable]:
    """The models of the folder `published`, by name. Raises `DbtProjectError` without a grain."""
    tables = []
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or "published" not in node["fqn"][1:-1]:
            continue
        meta = node["config"].get("meta", {})
        grain = meta.get("grain")
        if not grain:
            raise DbtProjectError(
                f"published model {node['name']} has no grain: give it config.meta.grain, the "
                "columns that identify a row, in the YAML beside it"
            )
        columns = {name: column["description"] for name, column in node["columns"].items()}
        personal = frozenset(
            name for name, column in node["columns"].items() if is_personal(column)
        )
        upstream = tuple(key.rsplit(".", 1)[1] for key in node["depends_on"]["nodes"])
        tables.append(
            PublishedTable(
                node["name"],
                tuple(grain),
                node["description"],
                columns,
                personal,
                view_of=upstream if meta.get("published_as") == "view" else None,
            )
        )
    return sorted(tables, key=lambda table: table.name)


def model_code(manifest: Manifest, unique_id: str) -> str:
    """The code of a model as it is written, with that of the project's macros that it calls."""
    node = manifest["nodes"][unique_id]
    found: set[str] = set()
    waiting = [*node["depends_on"]["macros"], *_macros_of_hooks(manifest, node)]
    while waiting:
        macro = waiting.pop()
        if macro.startswith("macro.account360.") and macro not in found:
            found.add(macro)
            waiting += manifest["macros"][macro]["depends_on"]["macros"]
    macros = (manifest["macros"][macro]["macro_sql"] for macro in sorted(found))
    return "\0".join([node["raw_code"], *macros])


def _macros_of_hooks(manifest: Manifest, node: Manifest) -> list[str]:
    """The project's macros that a model's hooks name: dbt does not count these as its own."""
    hooks = [*node["config"].get("pre-hook", []), *node["config"].get("post-hook", [])]
    words = {word for hook in hooks for word in re.findall(r"\w+", hook["sql"])}
    return [
        one for word in sorted(words) if (one := f"macro.account360.{word}") in manifest["macros"]
    ]


def is_personal(column: Mapping[str, Any]) -> bool:
    """Whether a column of a model or source is tagged as personal data."""
    return PERSONAL_DATA in (column.get("config") or {}).get("tags", column.get("tags", []))


def _parsed_path(settings: Settings) -> Path:
    """Where the manifest of the project as it stands is kept: named by the hash of its files.

    dbt's own `manifest.json` is no evidence: a run that is killed may leave half of one.
    """
    digest = hashlib.sha256()
    for package in ("dbt-core", "dbt-duckdb"):
        digest.update(version(package).encode())
    digest.update(str(settings.warehouse_path).encode())
    for file in sorted(DBT_PROJECT.rglob("*")):
        relative = file.relative_to(DBT_PROJECT)
        if file.is_file() and relative.parts[0] not in _NOT_SOURCES:
            digest.update(f"\0{relative.as_posix()}\0".encode())
            digest.update(file.read_bytes())
    return settings.dbt_target_path / "parsed" / f"{digest.hexdigest()[:16]}.json"


def _parse(settings: Settings, parsed: Path) -> None:
    """Run `dbt parse` and keep its manifest as `parsed`."""
    parsed.parent.mkdir(parents=True, exist_ok=True)
    _dbt(settings, "parse")
    for old in parsed.parent.iterdir():
        old.unlink()
    write_whole(parsed, (settings.dbt_target_path / "manifest.json").read_bytes())


def _dbt(settings: Settings, command: str) -> None:
    """Run a command of dbt that builds nothing."""
    # From the project's own folder: dbt keeps relative roots in what it parsed.
    result = subprocess.run(
        [sys.executable, *DBT_ARGUMENTS, "--no-use-colors", command, "--profiles-dir", "."],
        cwd=DBT_PROJECT,
        env={**os.environ, **dbt_environment(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise DbtProjectError(f"dbt cannot {command} the project:\n{result.stdout}{result.stderr}")


def _with_singular_tests_attached(manifest: Manifest) -> Manifest:
    """Name one model for each singular test of several models, so that it is an asset check.

    A singular test says that tables agree; it belongs to the one furthest downstream.
    """
    depths: dict[str, int] = {}

    def depth(unique_id: str) -> int:
        if unique_id not in depths:
            parents = manifest["parent_map"].get(unique_id, [])
            depths[unique_id] = 1 + max((depth(parent) for parent in parents), default=0)
        return depths[unique_id]

    for node in manifest["nodes"].values():
        upstream = [name for name in node["depends_on"]["nodes"] if name.startswith("model.")]
        if node["resource_type"] != "test" or node.get("attached_node") or not upstream:
            continue
        owner = manifest["nodes"][max(sorted(upstream), key=depth)]
        meta = node["config"].setdefault("meta", {})
        meta.setdefault("dagster", {}).setdefault("ref", {"name": owner["name"]})
    return manifest
