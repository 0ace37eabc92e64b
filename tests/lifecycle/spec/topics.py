"""All topics of the specification, in the order of the manual."""

from tests.lifecycle.spec import did, logic, money, on_days, properties, selection, sequences, stages, time

TOPICS = tuple(module.topic for module in (did, on_days, selection, properties, money, sequences, time, logic, stages))
