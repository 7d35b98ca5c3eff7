"""What compiled loops of two threads need to talk: numbers that both write and read, and a way to wait politely."""

import ctypes
import sys

from llvmlite.binding import add_symbol
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

OFFER = "minidl_offer_core"


def _offer() -> int:
    """The address of the system's function that lets another thread have the core; AttributeError where it has none."""
    if sys.platform == "win32":
        function = ctypes.windll.kernel32.SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0


add_symbol(OFFER, _offer())  # before anything that calls it is compiled
offer_core = types.ExternalFunction(OFFER, types.int32())


@intrinsic
def read(typing, box, place):
    """box[place] as it is now, of whole numbers; what the other thread wrote before that can be read after it."""

    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_pointer(context, builder, signature, arguments), "seq_cst", 8)

    return types.int64(box, place), generate


@intrinsic
def write(typing, box, place, number):
    """box[place] = number, after all that was written before it."""

    def generate(context, builder, signature, arguments):
        builder.store_atomic(arguments[2], _pointer(context, builder, signature, arguments), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(box, place, types.int64), generate


@intrinsic
def words_at(typing, address):
    """A pointer to numbers of 32 bits, of an address."""
    kind = types.CPointer(types.uint32)
    return kind(types.int64), _as_pointer(kind)


@intrinsic
def rows_at(typing, address):
    """A pointer to row numbers, of an address."""
    kind = types.CPointer(types.int64)
    return kind(types.int64), _as_pointer(kind)


def _as_pointer(kind):
    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(kind))

    return generate


def _pointer(context, builder, signature, arguments):
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, arguments[0])
    return cgutils.get_item_pointer(context, builder, kind, array, [arguments[1]])
