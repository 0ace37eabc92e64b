"""A long job as pages show it: templates/parts/progress.html."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """state: running, done or failed; total 0: not known yet; url: asked again while it runs, answers the part anew."""

    id: str
    title: str
    state: str
    done: int
    total: int
    unit: str
    note: str
    url: str
