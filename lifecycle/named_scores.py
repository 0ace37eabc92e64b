"""Which scores decide where customers stand: those that a live rule, or one that is about to go live, names."""

from customers.score_steps import KEYS, PREFIX

from .live import live


def named_scores() -> frozenset[str]:
    """Their names. Read under the shared VERSIONS lock: then nothing goes live, or begins to be built, meanwhile."""
    program = live().program
    return frozenset() if program is None else frozenset(key.removeprefix(PREFIX) for key in program.trait_keys & KEYS)
