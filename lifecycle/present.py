"""What rules may name: the definitions of segments and stage models as they are live now, or as a change would make
them. Whoever parses a rule against them learns which it named; a version keeps exactly those."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .models import Stage, Subject, SubRule, Version
from .rules.document import is_storable

Definition = dict[str, Any]


class Named(Mapping[str, Definition]):
    """Definitions by key, each looked up when it is first named. `used` are those that were."""

    def __init__(self, find: Callable[[str], Definition | None]) -> None:
        self._find = find
        self._found: dict[str, Definition | None] = {}

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str) or not is_storable(key):
            return False
        if key not in self._found:
            self._found[key] = self._find(key)
        return self._found[key] is not None

    def __getitem__(self, key: str) -> Definition:
        found = self._found[key] if key in self else None
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.used)

    def __len__(self) -> int:
        return len(self.used)

    @property
    def used(self) -> dict[str, Definition]:
        return {key: found for key, found in sorted(self._found.items()) if found is not None}


class Present:
    """The definitions now, with `documents` in place of those of some subjects (by id), and `sub_rules` in place of
    stored texts (by name)."""

    def __init__(
        self, *, documents: Mapping[int, Mapping[str, Any]] | None = None, sub_rules: Mapping[str, Any] | None = None
    ) -> None:
        self.documents = dict(documents or {})
        self.sub_rules: dict[str, Any] = {**dict(SubRule.objects.values_list("name", "document")), **(sub_rules or {})}

    def named(self) -> tuple[Named, Named]:
        """Segments and models for one rule or version, which remember what is named of them."""
        return Named(self._segment), Named(self._model)

    def _segment(self, key: str) -> Definition | None:
        subject = Subject.objects.filter(key=key, retired_at=None).exclude(kind=Subject.Kind.MODEL).first()
        document = self._document(subject)
        if subject is None or document is None:
            return None
        return {"subject": subject.pk, "name": subject.name, "rule": document["rule"]}

    def _model(self, key: str) -> Definition | None:
        subject = Subject.objects.filter(key=key, retired_at=None, kind=Subject.Kind.MODEL).first()
        document = self._document(subject)
        if subject is None or document is None:
            return None
        names = dict(Stage.objects.filter(subject=subject).values_list("key", "name"))
        return {
            "subject": subject.pk,
            "name": subject.name,
            "stages": [{**stage, "name": names.get(stage["key"], stage["key"])} for stage in document["stages"]],
            "exit": {"key": document["exit"], "name": names.get(document["exit"], document["exit"])},
        }

    def _document(self, subject: Subject | None) -> Mapping[str, Any] | None:
        if subject is None:
            return None
        if subject.pk in self.documents:
            return self.documents[subject.pk]
        if subject.live_version_id is None:
            return None
        return Version.objects.values_list("document", flat=True).get(pk=subject.live_version_id)
