"""The menu beside every page: what somebody may open, in groups, and where they are now. Titles, icons and permissions
are those of the search (`places`), so both call a page by one name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from .places import Place, named_pages


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu by its URL name. also: beginnings of the URL names of pages that lie behind it; carries:
    whether it takes along which dates and lines were chosen."""

    name: str
    also: tuple[str, ...] = ()
    carries: bool = True

    def holds(self, here: str) -> bool:
        return here == self.name or here.startswith(self.also)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is shown. is_here: whether the page that is shown lies behind it."""

    place: Place
    carries: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one title, which opens and closes them; without a title they always show."""

    key: str
    title: Any
    links: tuple[Link, ...]
    is_open: bool


# (key, title, whether it is open until somebody closes it, entries)
GROUPS: Sequence[tuple[str, Any, bool, tuple[Entry, ...]]] = (
    (
        "first",
        "",
        True,
        (
            Entry("overview"),
            Entry("customers", ("customer", "merges")),
            Entry("accounts", ("account_one",), carries=False),
        ),
    ),
    (
        "stages",
        gettext_lazy("Stages and segments"),
        True,
        (
            Entry("segments", ("segment", "list_", "lists_")),
            Entry("models", ("model", "stage_", "sub_rule")),
            Entry("changes", ("change",), carries=False),
        ),
    ),
    (
        "analysis",
        gettext_lazy("Analysis"),
        True,
        (
            Entry("movement"),
            Entry("retention"),
            Entry("value"),
            Entry("acquisition"),
            Entry("experience", ("experience_",)),
            Entry("support", ("support_",)),
            Entry("metrics"),
        ),
    ),
    (
        "marketing",
        gettext_lazy("Marketing"),
        True,
        (
            Entry("campaigns", ("campaign",)),
            Entry("experiments", ("experiment",), carries=False),
            Entry("spend", ("spend_",)),
            Entry("reports", ("report",), carries=False),
        ),
    ),
    (
        "data",
        gettext_lazy("Data"),
        False,
        (
            Entry("imports", ("import",), carries=False),
            Entry("exports", ("export_",), carries=False),
            Entry("review", ("review_", "merge_")),
            Entry("catalogue", ("catalogue_",), carries=False),
            Entry("sources", ("source", "reject_")),
            Entry("rates", ("rate",)),
            Entry("erasures"),
        ),
    ),
    (
        "administration",
        gettext_lazy("Administration"),
        False,
        (
            Entry("users", ("user",)),
            Entry("keys", ("key_",)),
            Entry("webhooks", ("webhook",), carries=False),
            Entry("installation"),
            Entry("system", ("system_",)),
            Entry("styleguide", carries=False),
        ),
    ),
    ("last", "", True, (Entry("api_docs", carries=False),)),
)


def menu(*, who: Any, here: str, builds_pages: bool) -> list[Group]:
    """The groups in which `who` may open something. here: the URL name of the page that is shown, whose group is open;
    builds_pages: whether the style guide is offered."""
    pages = named_pages(who, besides=("styleguide",) if builds_pages else ())
    found = []
    for key, title, opens, entries in GROUPS:
        links = tuple(
            Link(pages[entry.name], entry.carries, entry.holds(here)) for entry in entries if entry.name in pages
        )
        if links:
            found.append(Group(key, title, links, opens or any(link.is_here for link in links)))
    return found
