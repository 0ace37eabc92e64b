"""What the engine answers, beside what the reference answers."""

from collections.abc import Sequence

from hypothesis import reject

from lifecycle.rules.document import RuleError
from lifecycle.rules.evaluate import FOREVER, Membership, Program, StageRules, spans_of, spells
from lifecycle.rules.parse import parse_rule
from tests.lifecycle.rules.engine_input import catalogue, definitions, facts, numbers
from tests.lifecycle.rules.generated_cases import Case
from tests.lifecycle.rules.generated_rules import CHANNELS
from tests.lifecycle.rules.reference import Customer, History, Span, Version


def parsed(rule: object, version: Version):
    try:
        return _parsed(rule, version)
    except RuleError as error:
        if "at most" in error.message:
            reject()  # too large once its references are expanded
        raise


def _parsed(rule: object, version: Version):
    return parse_rule(
        rule,
        lapse_days=version.lapse_days,
        sub_rules=version.sub_rules,
        minor_digits=version.minor_digits,
        **definitions(version),
    )


def columns_of(program: Program, histories: Sequence[History], version: Version):
    """The facts that a program needs of the histories."""
    return facts(
        histories,
        catalogue(version.roles, CHANNELS),
        program.property_keys,
        trait_keys=program.trait_keys,
        subjects=numbers(version),
    )


def engine_spans(rule: object, histories: Sequence[History], version: Version) -> list[list[Span]]:
    """The engine's spans of each history, None for an end that never comes."""
    words = catalogue(version.roles, CHANNELS)
    found: list[list[Span]] = [[] for _ in histories]
    node = parsed(rule, version)
    known = columns_of(Program((Membership(node),), zone=version.zone, catalogue=words), histories, version)
    columns = spans_of(node, known, zone=version.zone, catalogue=words)
    for owner, start, end in zip(*(column.tolist() for column in columns), strict=True):
        found[owner].append((start, None if end == FOREVER else end))
    return found


def engine_spells(
    program: Program, histories: Sequence[History], version: Version
) -> list[list[list[tuple[int, int]]]]:
    """For each subject and each history (instant, stage) in order."""
    answer = []
    for spells_of_subject in spells(program, columns_of(program, histories, version)):
        found: list[list[tuple[int, int]]] = [[] for _ in histories]
        columns = (spells_of_subject.owner, spells_of_subject.at, spells_of_subject.stage)
        for owner, at, stage in zip(*(column.tolist() for column in columns), strict=True):
            found[owner].append((at, stage))
        answer.append(found)
    return answer


def assert_spans_agree(case: Case) -> None:
    for rule in case.rules:
        expected = [Customer(history, case.version).spans(rule) for history in case.histories]
        assert engine_spans(rule, case.histories, case.version) == expected, rule


def assert_spells_agree(case: Case, *others: Version) -> None:
    """In one program: under each version the rules as the stages of a model with and without exit stage, and alone."""
    first, *_ = versions = (case.version, *others)
    subjects, expected, kept = [], [], []
    for version in versions:
        nodes = tuple(parsed(rule, version) for rule in case.rules)
        own = {"zone": version.zone, "catalogue": catalogue(version.roles, CHANNELS)} if version is not first else {}
        customers = [Customer(history, version) for history in case.histories]
        for has_exit in (True, False):
            subjects.append(StageRules(nodes, has_exit=has_exit, **own))
            expected.append([customer.spells(case.rules, has_exit) for customer in customers])
        for name, stages in version.models.items():
            keys = (*(key for key, _rule in stages), "left")
            rules = [rule for _key, rule in stages]
            parts = tuple(parsed(rule, version) for rule in rules)
            subjects.append(StageRules(parts, subject=numbers(version)[name], keys=keys, **own))
            expected.append([customer.spells(rules, model=(name, keys)) for customer in customers])
        for key, rule in version.segments.items():
            part = None if rule is None else parsed(rule, version)
            subjects.append(Membership(part, subject=numbers(version)[key], **own))
            membership = {"segment": key}
            kept.append(membership)  # the reference knows a rule by where it lies
            expected.append([memberships(customer.spans(membership)) for customer in customers])
        for node, rule in zip(nodes, case.rules, strict=True):
            subjects.append(Membership(node, **own))
            expected.append([memberships(customer.spans(rule)) for customer in customers])
    program = Program(subjects, zone=first.zone, catalogue=catalogue(first.roles, CHANNELS))
    assert engine_spells(program, case.histories, first) == expected


def memberships(spans: Sequence[Span]) -> list[tuple[int, int]]:
    return [(at, inside) for start, end in spans for at, inside in ((start, 1), (end, 0)) if at is not None]
