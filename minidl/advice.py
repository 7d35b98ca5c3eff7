"""What is said of an attribute that is not there: what sets it, what to use here for a word of others, a near name."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from minidl.bytecode import assigns


class Advised:
    """An object that says what to do about an attribute it does not have.

    A kind of object states in `_set_by` the method that sets what its constructor does not, and in `_habits` what to
    use here for the words of other libraries, several of them in one key.

    >>> class Ball(Advised):
    ...     _habits = {"diameter width": "it is 2 * radius"}
    ...     def __init__(self, radius):
    ...         self.radius = radius
    >>> Ball(1.5).diameter
    Traceback (most recent call last):
    AttributeError: Ball has no attribute 'diameter': it is 2 * radius
    >>> class Red(Ball):
    ...     def __init__(self): ...
    >>> Red().radius  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AttributeError: Red has no attribute 'radius': Ball.__init__ sets it: call super().__init__(...) first ...
    """

    _set_by: str = ""
    _habits: Mapping[str, str] = {}

    if not TYPE_CHECKING:  # a checker should go on refusing unknown attributes

        def __getattr__(self, name: str) -> Any:
            """Raise; what to do is found out when somebody reads the message, which `hasattr` does not."""
            if name.startswith("__") or hasattr(type(self), name):
                return object.__getattribute__(self, name)  # an error of Python, or of a property that is there
            raise AttributeError(Missing(self, name), name=name)  # without obj: Python would add a guess of its own

    def _advice(self, name: str) -> str:
        """What to do about an attribute that is not there; "" where nothing is known."""
        if forgotten := _forgotten(type(self), name):
            return forgotten
        if self._set_by and assigns(type(self), self._set_by, name):
            return f"call {self._set_by} first"
        return next((use for words, use in self._habits.items() if name in words.split()), "")


class Missing:
    """What an error says about an attribute that is not there, put together when it is read."""

    def __init__(self, owner: Advised, name: str) -> None:
        self.owner, self.name = owner, name

    def __str__(self) -> str:
        from difflib import get_close_matches  # slow to load, and for errors only

        advice = self.owner._advice(self.name)
        words = [word for several in self.owner._habits for word in several.split()]  # and what to use for them
        public = [known for known in dir(self.owner) if not known.startswith("_") and known not in words]
        for names, cutoff in ((public, 0.75), (words, 0.8)):
            if not advice and (close := get_close_matches(self.name, names, n=1, cutoff=cutoff)):
                advice = f"did you mean {close[0]!r}? {self.owner._advice(close[0]) if names is words else ''}".rstrip()
        return f"{type(self.owner).__name__} has no attribute {self.name!r}" + (f": {advice}" if advice else "")

    def __repr__(self) -> str:
        return repr(str(self))

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A copy or pickle of the error takes the text along, not the object."""
        return str, (str(self),)


def _forgotten(kind: type, name: str) -> str:
    """Which constructor would have set an attribute, had that of a derived class called it; "" where none would."""
    constructors = [owner for owner in kind.__mro__ if "__init__" in vars(owner)]
    for base in constructors[1:]:
        fields = getattr(base, "__dataclass_fields__", {}) if is_dataclass(base) else {}
        names = {name, name.removeprefix("_")}  # the attribute behind a property
        if names & {*fields} or any(assigns(base, "__init__", one) for one in names):
            place = f"in {constructors[0].__name__}.__init__"
            if assigns(kind, "__init__", name):  # which calls it
                return f"{base.__name__}.__init__ sets it: ask for it after super().__init__(...) {place}"
            return f"{base.__name__}.__init__ sets it: call super().__init__(...) first {place}"
    return ""
