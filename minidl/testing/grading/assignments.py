"""What a teacher asks for: an assignment of parts, each of which says what earns how many points."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minidl.arguments import check_flag, check_function, check_integer, check_number, short, suggest
from minidl.frozen import frozen
from minidl.testing.grading.judging import Judged, asked_by, judge_alone, judge_example
from minidl.testing.report import Report


@frozen
class Asked:
    """One question.

    Attributes:
        name: of a property or example.
        points: what it is worth.
        first: whether the other properties end as it does where it does not end, or ends the process.
        needed: whether nothing else of the thing is judged unless it holds.
    """

    name: str
    points: float
    first: bool = False
    needed: bool = False


class Checks:
    """A part that grades the properties of one thing, as `check_layer` and the like judge them, each by itself.

    Args:
        thing: the name of the class or function in the submission.
        check: `check_layer`, `check_loss`, `check_optimizer` or another of `minidl.testing`.
        points: property -> points, for those that count; the others are not tried.
        declared: what the check is told, as in a call of it: `shape`, `targets`, constructor arguments.

    A property that does not apply to what was handed in, such as one column for a loss that refuses it, earns its
    points.

    Raises:
        TypeError, ValueError: `check` is no check, or has no such property.

    >>> from minidl.testing import check_layer
    >>> Checks("Square", check_layer, {"rows independent": 1, "derivatives off the grid": 2})
    Checks('Square', check_layer, 3 points)
    """

    def __init__(
        self, thing: str, check: Callable[..., Report], points: Mapping[str, float], /, **declared: Any
    ) -> None:
        self.thing, self.check, self.declared = _name(thing), check, declared
        self.kind, self.cases = asked_by(check)
        known = [asked.name for asked in self.kind.properties]
        for name in points:
            if name not in known:
                raise ValueError(f"expected points of properties of {check.__name__}, received {name!r}: "
                                 f"{suggest(name, known)}")  # fmt: skip
        if own := sorted({"at", "max_examples", "raises"} & set(declared)):
            raise ValueError(f"expected what {check.__name__} is told of the thing, received {', '.join(own)}: the "
                             f"assignment says examples=... for all")  # fmt: skip
        worth = {name: check_number(f"points[{name!r}]", value, minimum=0) for name, value in points.items()}
        self.asked = tuple(
            Asked(asked.name, worth[asked.name], asked.first) for asked in self.kind.properties if asked.name in worth
        )

    def judge(self, name: str, made: Any, *, examples: int, seed: int) -> Judged:
        """The verdict on one property of the thing that was handed in."""
        asked = next(asked for asked in self.kind.properties if asked.name == name)
        cases = self.cases(made, **self.declared)
        return judge_alone(self.kind, cases, asked, examples=examples, seed=seed)

    def __repr__(self) -> str:
        return f"Checks({self.thing!r}, {self.check.__name__}, {_sum(self.asked):g} points)"


class Example:
    """A part that is one question, asked by a function of the teacher's: points if it returns, none if it raises.

    Args:
        thing: the name of the class or function in the submission; the function is given it.
        name: what is asked, in a few words.
        function: raises an error where the answer is wrong, as `numpy.testing.assert_allclose` does; its text is what
            the student reads.
        points: what it is worth.
        needed: whether nothing else of this thing is judged unless it holds: that it is no constant, such as the zeros
            of an empty answer, of which every derivative is right.

    >>> Example("Square", "3 squared", lambda Square: None, points=1)
    Example('Square', '3 squared', 1 points)
    """

    def __init__(
        self, thing: str, name: str, function: Callable[[Any], object], *, points: float, needed: bool = False
    ) -> None:
        self.thing, self.function = _name(thing), function
        if not isinstance(name, str) or not name:
            raise TypeError(f"expected name to be what is asked, in a few words, received name={short(name)}")
        check_function("function", function, "thing", advice="write lambda thing: ...")
        worth = check_number("points", points, minimum=0)
        self.asked = (Asked(name, worth, needed=check_flag("needed", needed)),)

    def judge(self, name: str, made: Any, *, examples: int, seed: int) -> Judged:
        """Whether the function raises nothing."""
        return judge_example(self.function, made)

    def __repr__(self) -> str:
        return f"Example({self.thing!r}, {self.asked[0].name!r}, {self.asked[0].points:g} points)"


@frozen
class Assignment:
    """What is handed in, what earns points, and within which limits; the file of a teacher ends with one.

    Args:
        title: what the grades say it is.
        file: the name of the file to hand in, such as "linear.py".
        parts: `Checks` and `Example`s, in the order in which they are asked.
        forbids: classes of minidl that are not to be used, because they are what is asked for.
        seconds: the time that each question, and the import of the submission, may take.
        examples: the cases that are drawn for each property.
        seed: of the cases; with the same one, the same file gets the same grade.

    Raises:
        TypeError, ValueError: a bad argument.

    >>> from minidl.testing import check_layer
    >>> checks = Checks("Square", check_layer, {"rows independent": 1, "derivatives off the grid": 2})
    >>> Assignment("A square", "square.py", [checks]).points
    3.0
    """

    title: str
    file: str
    parts: Sequence[Checks | Example]
    forbids: Sequence[type] = ()
    seconds: float = 10.0
    examples: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.file, str) or Path(self.file).name != self.file or not self.file.endswith(".py"):
            raise ValueError(f"expected file to be the name of a Python file, received file={short(self.file)}")
        if not self.parts or not all(isinstance(part, Checks | Example) for part in self.parts):
            raise TypeError(f"expected parts to be Checks and Examples, received parts={short(self.parts)}")
        if odd := [thing for thing in self.forbids if not isinstance(thing, type)]:
            raise TypeError(f"expected forbids to be classes, received {short(odd[0])}: their methods are shut")
        check_number("seconds", self.seconds, minimum=0.1)
        check_integer("examples", self.examples, minimum=1)
        check_integer("seed", self.seed, minimum=0)

    @property
    def points(self) -> float:
        """The sum of all points."""
        return sum(_sum(part.asked) for part in self.parts)


def _name(thing: str) -> str:
    if not isinstance(thing, str) or not thing.isidentifier():
        raise TypeError(f"expected thing to be the name of what is handed in, received thing={short(thing)}")
    return thing


def _sum(asked: Sequence[Asked]) -> float:
    return float(sum(each.points for each in asked))


@contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """A block in which modules of a folder can be imported; after it they are forgotten, and kept by who has them.

    Nothing is written into the folder, no bytecode either: it is a teacher's.
    """
    writes = sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name != "__main__" and file and Path(file).resolve().is_relative_to(folder):
                del sys.modules[name]


def load_assignment(path: Path) -> Assignment:
    """The one Assignment that a file of a teacher defines.

    Raises:
        FileNotFoundError, ValueError: there is no such file, or not one Assignment in it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected the file of an assignment, received {path}: there is none")
    path = path.resolve()
    spec = importlib.util.spec_from_file_location(f"assignment_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"expected the assignment to be a Python file, received {path}")
    module = importlib.util.module_from_spec(spec)
    with importing_from(path.parent):
        spec.loader.exec_module(module)
    found: dict[int, Assignment] = {
        id(thing): thing for _, thing in inspect.getmembers(module, lambda thing: isinstance(thing, Assignment))
    }
    if len(found) != 1:
        raise ValueError(f"expected one Assignment in {path}, found {len(found)}: write ASSIGNMENT = Assignment(...)")
    (assignment,) = found.values()
    return assignment
