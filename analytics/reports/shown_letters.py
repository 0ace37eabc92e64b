"""A letter as a page shows it: pictures lie in the page itself, and a sentence stands for the foot, since that is
another one for each recipient."""

import base64
import hashlib
import re

from django.utils.translation import gettext as _

from .letters import FOOT, Letter


def as_shown(letter: Letter) -> str:
    """The HTML of a letter with its pictures in it."""
    html = letter.html
    for cid, data in letter.pictures:
        html = html.replace(f"cid:{cid}", f"data:image/png;base64,{base64.b64encode(data).decode()}")
    return html.replace(FOOT, _foot())


def styles_in(html: str) -> list[str]:
    """What a content security policy calls exactly the style sheets in the head of a shown letter: those for narrow
    and for dark screens. What asks for others stays refused."""
    sheets = re.findall(r"<style[^>]*>(.*?)</style>", html.partition("</head>")[0], re.DOTALL)
    found = (hashlib.sha256(sheet.encode()).digest() for sheet in sheets)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in found]


def text_shown(letter: Letter) -> str:
    """The text of a letter."""
    return letter.text.replace(FOOT, _foot())


def _foot() -> str:
    return _("Here stands how one receives it no more.")
