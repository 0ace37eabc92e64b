"""The stage models, sub-rules and segments that come with the software, read from their JSON files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lifecycle.rules.document import load_document

_FOLDER = Path(__file__).resolve().parent.parent / "stage_models"
MODEL_KEYS = ("seven", "five", "cycle")  # the first is the default on pages


@dataclass(frozen=True, slots=True)
class StageDocument:
    """A stage as installed: `position` is its place on pages, its place in the model its precedence."""

    key: str
    name: str
    position: int
    rule: Any


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """A stage model as installed; `stages` are lowest precedence first."""

    key: str
    name: str
    stages: tuple[StageDocument, ...]
    exit_key: str
    exit_name: str
    exit_position: int


@dataclass(frozen=True, slots=True)
class SegmentDocument:
    """A segment as installed; of those with the same key one preset is chosen."""

    key: str
    preset: str
    name: str
    description: str
    rule: Any


@cache
def installed_models() -> tuple[ModelDocument, ...]:
    """The three stage models."""
    return tuple(_model(_read(f"{key}.json")) for key in MODEL_KEYS)


@cache
def installed_sub_rules() -> dict[str, Any]:
    """The named sub-rules that all models share: name to document."""
    return _read("sub_rules.json")


@cache
def installed_segments() -> tuple[SegmentDocument, ...]:
    """The segments: both presets of the active customer."""
    return tuple(SegmentDocument(**document) for document in _read("segments.json"))


def _model(document: Any) -> ModelDocument:
    leave = document["exit"]
    return ModelDocument(
        key=document["key"],
        name=document["name"],
        stages=tuple(StageDocument(**stage) for stage in document["stages"]),
        exit_key=leave["key"],
        exit_name=leave["name"],
        exit_position=leave["position"],
    )


def _read(name: str) -> Any:
    return load_document((_FOLDER / name).read_text(encoding="utf-8"))
