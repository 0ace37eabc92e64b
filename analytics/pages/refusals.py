"""How forms say what was refused: beside the field it is about, everything that was typed kept."""

from django import forms

from clm.lib.questions import ConflictError, QuestionError
from lifecycle.rules.document import RuleError

Refusal = QuestionError | ConflictError | RuleError


def beside(form: forms.Form, error: Refusal) -> None:
    """Put a refusal beside its field, or above the form where it is about none of them."""
    if isinstance(error, QuestionError):
        form.add_error(error.field if error.field in form.fields else None, error.message)
    else:
        form.add_error(None, str(error))


def status_of(form: forms.Form) -> int:
    """422 for a form that was sent and refused."""
    return 422 if form.is_bound and form.errors else 200
