"""What stage models, their stages and segments are called, and which model pages show first. Names decide nothing:
versions speak of keys, so a new name needs no new version."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, QuestionError

from .models import Stage, Subject

LONGEST_NAME, LONGEST_DESCRIPTION = 100, 2000


@transaction.atomic
def name_subject(*, subject: int, changes: Mapping[str, Any]) -> None:
    """Change `name` and `description` of a model or a segment; `is_default` true makes a model the one that pages show
    unless told otherwise, in place of the one that was."""
    found = Subject.objects.select_for_update(no_key=True).get(pk=subject)
    for field, value in changes.items():
        match field:
            case "name":
                found.name = folded(value, field="name", longest=LONGEST_NAME)
                if found.kind != Subject.Kind.MODEL:
                    Stage.objects.filter(subject=found, key="in").update(name=found.name)
                    Stage.objects.filter(subject=found, key="out").update(name=f"Not in {found.name}"[:LONGEST_NAME])
            case "description":
                found.description = folded(value, field="description", longest=LONGEST_DESCRIPTION, may_be_empty=True)
            case "is_default" if found.kind == Subject.Kind.MODEL:
                _make_default(found, is_default=value)
            case _:
                raise QuestionError(field, _("This cannot be changed."))
    found.save()


@transaction.atomic
def name_stage(*, stage: int, name: str) -> None:
    """Call a stage something else."""
    said = folded(name, field="name", longest=LONGEST_NAME)
    found = Stage.objects.select_for_update(no_key=True).get(pk=stage)
    found.name = said
    found.save()


def _make_default(model: Subject, *, is_default: bool) -> None:
    if not is_default:
        if model.is_default:
            raise ConflictError(_("One model is the default; make another one the default instead."))
        return
    if model.live_version_id is None:
        raise ConflictError(_("Nothing of this model is live yet, so pages cannot show it first."))
    for other in Subject.objects.select_for_update(no_key=True).filter(is_default=True).exclude(pk=model.pk):
        other.is_default = False
        other.save()
    model.is_default = True


def folded(text: str, *, field: str, longest: int, may_be_empty: bool = False) -> str:
    """A text with single spaces; QuestionError says what is wrong with it."""
    said = " ".join(text.split())
    if not said and not may_be_empty:
        raise QuestionError(field, _("This needs a text."))
    if len(said) > longest:
        raise QuestionError(field, _("At most %(longest)d characters.") % {"longest": longest})
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in said):
        raise QuestionError(field, _("This holds a character that cannot be written."))
    return said
