"""Reads the Dockerfile and docker-compose.yml as an engine would, so that tests can hold them to the program without
one: instructions, stages, flags; services with anchors merged and variables filled in."""

import json
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
# What .env must say; .env.example leaves these two empty.
SECRETS = {"SECRET_KEY": "k" * 64, "POSTGRES_PASSWORD": "5f0c2a"}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


@dataclass(frozen=True)
class Instruction:
    """One instruction of the Dockerfile: its name, its flags (--from, --interval) and what it is given."""

    name: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments; the exec form of RUN, CMD and HEALTHCHECK as the list it is."""
        text = self.text.removeprefix("CMD ") if self.name == "HEALTHCHECK" else self.text
        return json.loads(text) if text.startswith("[") else shlex.split(text)


@dataclass
class Stage:
    """One FROM and what follows it."""

    image: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def of(self, name: str) -> list[Instruction]:
        return [one for one in self.instructions if one.name == name]


def dockerfile() -> list[Stage]:
    """The stages of the Dockerfile, the last being the image."""
    lines = [line for line in (PROJECT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    stages: list[Stage] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        name, _, rest = line.partition(" ")
        flags = {}
        while found := re.match(r"\s*--([\w-]+)=(\S+)\s+", rest):
            flags[found[1]] = found[2]
            rest = rest[found.end() :]
        if name == "FROM":
            image, _, alias = rest.partition(" AS ")
            stages.append(Stage(image.strip(), alias.strip()))
        else:
            stages[-1].instructions.append(Instruction(name, flags, rest.strip()))
    return stages


def image_env() -> dict[str, str]:
    """The ENV of the image."""
    return dict(pair.split("=", 1) for one in dockerfile()[-1].of("ENV") for pair in shlex.split(one.text))


def variables_used() -> set[str]:
    """Every variable that docker-compose.yml takes from .env."""
    return {found[0] for found in _VARIABLE.findall((PROJECT / "docker-compose.yml").read_text())}


def example_env() -> dict[str, str]:
    """The variables of .env.example."""
    lines = (PROJECT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose(env: dict[str, str]) -> dict[str, Any]:
    """docker-compose.yml with the variables of `env` filled in. A variable without a default that is missing or empty
    is a KeyError, as it is an error for compose."""

    def fill(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        value = env.get(name, "")
        if value or kind == "-":
            return value or rest
        raise KeyError(f"{name}: {rest}")

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(item) for item in node]
        return _VARIABLE.sub(fill, node) if isinstance(node, str) else node

    return filled(yaml.safe_load((PROJECT / "docker-compose.yml").read_text()))


def kept_by_git() -> set[str]:
    """Every file that a clone has, or would have if it were committed now."""
    said = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name for name in said.split("\0") if name and (PROJECT / name).exists()}


def sent_to_builder() -> set[str]:
    """Which of those .dockerignore lets through. The file is an allow-list: `*`, then `!name` of whole files and
    folders, then patterns that match at any depth."""
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    dropped = [rule.removeprefix("**/") for rule in rules[1:] if not rule.startswith("!")]
    return {
        name
        for name in kept_by_git()
        if (name in allowed or name.partition("/")[0] in allowed)
        and not any(Path(part).match(pattern) for part in name.split("/") for pattern in dropped)
    }
