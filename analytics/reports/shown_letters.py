"""A letter as a page shows it: pictures lie in the page itself, and a sentence stands for the foot, since that is
another one for each recipient."""

import base64

from django.utils.translation import gettext as _

from .letters import FOOT, Letter


def as_shown(letter: Letter) -> str:
    """The HTML of a letter with its pictures in it."""
    html = letter.html
    for cid, data in letter.pictures:
        html = html.replace(f"cid:{cid}", f"data:image/png;base64,{base64.b64encode(data).decode()}")
    return html.replace(FOOT, _foot())


def text_shown(letter: Letter) -> str:
    """The text of a letter."""
    return letter.text.replace(FOOT, _foot())


def _foot() -> str:
    return _("Here stands how one receives it no more.")
