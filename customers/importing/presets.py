"""Files of other systems, recognised by their header: one JSON document each in `presets/`, with the columns that the
system writes and what they mean. A file has some of these columns; what it lacks is left out of its mapping."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """A kind of file. key: the name of its document; recognised_by: columns that a file of this kind has, all of them;
    never: columns that none has; names: texts of which one stands in the file's name, where only that tells it apart;
    document: its mapping, of all columns that such a file may have."""

    key: str
    system: str
    name: str
    recognised_by: tuple[str, ...]
    never: tuple[str, ...]
    names: tuple[str, ...]
    kind: str
    document: Mapping[str, Any]

    def fits(self, header: Sequence[str], file_name: str) -> bool:
        """Whether a file with this header and name is of this kind."""
        columns = {name.strip().casefold() for name in header}
        told = file_name.casefold()
        return (
            all(name.casefold() in columns for name in self.recognised_by)
            and not any(name.casefold() in columns for name in self.never)
            and (not self.names or any(name in told for name in self.names))
        )


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A file that is none of the kind it was said to be. said: that kind; missing: columns of it that the file lacks;
    foreign: columns of the file that no such file has; looks_like: the kind its columns are of, or None."""

    said: Preset
    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    looks_like: Preset | None


def mistaken(*, preset: str, header: Sequence[str], file_name: str) -> Mistaken | None:
    """Whether a file with this header is none of the kind somebody chose; None where it is, or nothing was chosen."""
    said = preset_of(preset)
    if said is None or said.kind == "events":
        return None
    columns = {name.strip().casefold() for name in header}
    missing = tuple(name for name in said.recognised_by if name.casefold() not in columns)
    foreign = tuple(name for name in said.never if name.casefold() in columns)
    if not missing and not foreign:
        return None
    return Mistaken(said, missing, foreign, recognised(header=header, file_name=file_name))


@cache
def presets() -> tuple[Preset, ...]:
    """All that come along, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        found.append(
            Preset(
                key=path.stem,
                system=read["system"],
                name=read["name"],
                recognised_by=tuple(read.get("recognised_by", [])),
                never=tuple(read.get("never", [])),
                names=tuple(name.casefold() for name in read.get("file_names", [])),
                kind=read["document"].get("kind", "rows"),
                document=read["document"],
            )
        )
    return tuple(found)


def preset_of(key: str) -> Preset | None:
    """The preset of that key."""
    return next((one for one in presets() if one.key == key), None)


def recognised(*, header: Sequence[str], file_name: str) -> Preset | None:
    """What a file is, by its header and its name: of several that fit, the one that says most of it."""
    fitting = [one for one in presets() if one.fits(header, file_name)]
    return max(fitting, key=lambda one: (bool(one.names), len(one.recognised_by), one.key), default=None)
