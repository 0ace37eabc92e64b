"""All topics of the specification, in the order of the manual."""

from tests.lifecycle.spec import (
    did,
    logic,
    money,
    on_days,
    properties,
    references,
    scores,
    selection,
    sequences,
    stages,
    time,
    traits,
)

TOPICS = tuple(
    module.topic
    for module in (
        did,
        on_days,
        selection,
        properties,
        money,
        sequences,
        time,
        traits,
        scores,
        logic,
        references,
        stages,
    )
)
