"""Rules compiled: every distinct node once, its selectors resolved, and trees ready to sweep. Compile a program once
per set of live versions and evaluate it many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lifecycle.rules.days import local_days
from lifecycle.rules.facts import Catalogue
from lifecycle.rules.nodes import (
    All,
    Any,
    Did,
    Grew,
    Held,
    InSegment,
    InStage,
    Lately,
    Model,
    Named,
    Node,
    Not,
    OnDays,
    Selector,
    Since,
    Spent,
    Test,
    Trait,
)
from lifecycle.rules.selection import SelectorTable
from lifecycle.rules.sweep import Sweep, Tree


@dataclass(frozen=True, slots=True)
class StageRules:
    """A stage model: its rules, lowest precedence first. Zone and catalogue of its version, if not the program's.

    `subject` is the number under which the facts know who was placed by hand, `keys` the keys of the stages and then of
    the exit stage, which placements name; without them there are no placements."""

    stages: tuple[Node, ...]
    has_exit: bool = True
    zone: str | None = None
    catalogue: Catalogue | None = None
    subject: int | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """A segment: in it while the rule holds (None: a static list has none), as overruled by whom the facts know under
    `subject` to be included and excluded by name."""

    node: Node | None
    zone: str | None = None
    catalogue: Catalogue | None = None
    subject: int | None = None


Subject = StageRules | Membership
# The kinds of step whose `of` are selectors.
_SELECTING = ("did", "on_days", "spent", "grew", "since")


@dataclass(frozen=True, slots=True)
class Step:
    """One distinct node that yields spans. `kind` is its name, `of` the numbers of its selectors, of its one part, or
    of its stages and the stage meant."""

    kind: str
    of: tuple[int, ...]
    amount: int = 0  # touchpoints, days, minor units, ten-thousandths, or the number of a segment
    window: int | None = None
    zone: str = ""
    tree: Tree = 0
    key: str = ""  # of a trait
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True)
class Stages:
    """Which stage of a model: the sweep of its rules, overruled by who was placed by hand in a stage of these keys."""

    trees: tuple[Tree, ...]
    has_exit: bool
    subject: int | None
    keys: tuple[str, ...]
    sweep: Sweep = field(compare=False)


class Program:
    """Subjects compiled together, so that what they share is computed once.

    `zone` is the business time zone (IANA) and `catalogue` the codes with the roles of the version; a subject that
    names its own uses that. `property_keys` and `trait_keys` are the properties and traits that Facts must bring."""

    def __init__(self, subjects: Sequence[Subject], *, zone: str, catalogue: Catalogue) -> None:
        self.subjects = tuple(subjects)
        catalogues = list(dict.fromkeys([catalogue, *(one.catalogue for one in self.subjects if one.catalogue)]))
        self.selectors = SelectorTable(catalogues)
        self.steps: list[Step] = []
        self.sweeps: dict[int, Sweep] = {}  # of steps of kind "tree"
        self.reach = 0
        self._numbers: dict[Step, int] = {}
        self._reaches: list[int] = []
        self._properties: set[str] = set()
        self._traits: set[str] = set()
        self.stages: list[Stages] = []
        # Per subject: the step whose spans it is, or the place in `stages` of what tells its stage.
        self.answers: list[int] = []
        for subject in self.subjects:
            compiler = _Compiler(
                self, zone=subject.zone or zone, catalogue=catalogues.index(subject.catalogue or catalogue)
            )
            if isinstance(subject, StageRules):
                self.answers.append(compiler.stages(subject.stages, subject.has_exit, subject.subject, subject.keys))
            elif subject.subject is not None:
                self.answers.append(compiler.listed(subject.node, subject.subject))
            else:
                assert subject.node is not None, "a static list has a number"
                self.answers.append(compiler.number(subject.node))
        self.selectors.close()
        self.uses = [0] * len(self.selectors.parts)  # per selector: the steps that ask for it
        for step in self.steps:
            if step.kind in _SELECTING:
                for number in step.of:
                    self.uses[number] += 1
        self.property_keys = frozenset(self._properties)
        self.trait_keys = frozenset(self._traits)
        # Columns of touchpoints that Facts need not bring when no rule looks at them.
        self.looks_at_channels = self.selectors.tells_channels
        self.looks_at_amounts = any(step.kind in ("spent", "grew") for step in self.steps)
        sweeps = [*self.sweeps.values(), *(stages.sweep for stages in self.stages)]
        # The bits a packed border needs beside its key.
        self.width = max((sweep.width for sweep in sweeps), default=0)

    def add(self, step: Step, reach: int) -> int:
        """The number of the step, the same for equal steps. `reach` is its largest sum of nested windows."""
        if step not in self._numbers:
            self._numbers[step] = len(self.steps)
            if step.kind == "tree":
                self.sweeps[len(self.steps)] = Sweep([step.tree])
            self.steps.append(step)
            self._reaches.append(reach)
            self.reach = max(self.reach, reach)
        return self._numbers[step]

    def add_stages(self, trees: tuple[Tree, ...], has_exit: bool, subject: int | None, keys: tuple[str, ...]) -> int:
        """The place of these stages among `stages`, the same for equal ones."""
        for place, known in enumerate(self.stages):
            if (known.trees, known.has_exit, known.subject, known.keys) == (trees, has_exit, subject, keys):
                return place
        self.stages.append(Stages(trees, has_exit, subject, keys, Sweep(trees)))
        return len(self.stages) - 1

    def reach_of(self, tree: Tree) -> int:
        if isinstance(tree, int):
            return self._reaches[tree]
        return max(self.reach_of(part) for part in tree[1:])

    def name_trait(self, key: str) -> None:
        self._traits.add(key)

    def select(self, selector: Selector, catalogue: int) -> int:
        for pick in selector:
            self._properties |= {test.key for test in pick.where}
        return self.selectors.add(selector, catalogue)


class _Compiler:
    """Adds nodes to a program under one zone and catalogue."""

    def __init__(self, program: Program, *, zone: str, catalogue: int) -> None:
        local_days(zone)  # an unknown zone is refused here, not while evaluating
        self._program = program
        self._zone = zone
        self._catalogue = catalogue

    def tree(self, node: Node) -> Tree:
        """The node as a tree over steps."""
        match node:
            case All(parts) | Any(parts):
                trees = tuple(dict.fromkeys(self.tree(part) for part in parts))
                return trees[0] if len(trees) == 1 else ("all" if isinstance(node, All) else "any", *trees)
            case Not(part):
                return ("not", self.tree(part))
            case Named(_, part):
                return self.tree(part)
            case _:
                return self.number(node)

    def stages(
        self, rules: tuple[Node, ...], has_exit: bool, subject: int | None = None, keys: tuple[str, ...] = ()
    ) -> int:
        """The place of a model's stages among those of the program."""
        return self._program.add_stages(tuple(self.tree(rule) for rule in rules), has_exit, subject, keys)

    def listed(self, node: Node | None, subject: int) -> int:
        """The rule of a segment (none: a static list), overruled by its includes and excludes, as one step."""
        if node is None:
            return self._program.add(Step("segment", (), subject), 0)
        inner = self.number(node)
        return self._program.add(Step("segment", (inner,), subject), self._program.reach_of(inner))

    def _in_stage(self, model: Model, stage: str) -> int:
        keys = (*(key for key, _name, _rule in model.stages), model.exit_key)
        place = self.stages(tuple(rule for _key, _name, rule in model.stages), True, model.subject, keys)
        reach = max(self._program.reach_of(tree) for tree in self._program.stages[place].trees)
        return self._program.add(Step("stage", (place, keys.index(stage))), reach)

    def number(self, node: Node) -> int:
        """The node as one step that yields spans."""
        select, add = self._select, self._program.add
        match node:
            case Did(selector, at_least, within):
                return add(Step("did", (select(selector),), at_least, within), within or 0)
            case OnDays(selector, days, within):
                return add(Step("on_days", (select(selector),), days, within, self._zone), within or 0)
            case Spent(selector, at_least, within):
                return add(Step("spent", (select(selector),), at_least, within), within or 0)
            case Grew(selector, by, within):
                return add(Step("grew", (select(selector),), by, within), 2 * within)
            case Since(start, until):
                return add(Step("since", (select(start), select(until))), 0)
            case Held(part, duration):
                inner = self.number(part)
                return add(Step("held", (inner,), window=duration), self._program.reach_of(inner) + duration)
            case Lately(part, within):
                inner = self.number(part)
                return add(Step("lately", (inner,), window=within), self._program.reach_of(inner) + within)
            case Trait(key, tests):
                self._program.name_trait(key)
                return add(Step("trait", (), key=key, tests=tests), 0)
            case InSegment(_, _, subject, part_or_list):
                return self.listed(part_or_list, subject)
            case InStage(model, stage):
                return self._in_stage(model, stage)
            case _:
                tree = self.tree(node)
                return tree if isinstance(tree, int) else add(Step("tree", (), tree=tree), self._program.reach_of(tree))

    def _select(self, selector: Selector) -> int:
        return self._program.select(selector, self._catalogue)
