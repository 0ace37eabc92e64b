"""All topics of the specification, in the order of the manual."""

from tests.lifecycle.spec import did, logic, money, on_days, properties, selectors, sequences, stages, time

TOPICS = tuple(module.topic for module in (did, on_days, selectors, properties, money, sequences, time, logic, stages))
