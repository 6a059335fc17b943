# title: constants of every literal kind
# expect: right
# check: [everything(1)]
# %%
import math
A_INT = 2**70
A_FLOAT = 1e-300
A_NEGATIVE = -0.5
A_BOOL = True
A_NONE = None
A_TEXT = 'quote \' and " and \\ and\nnewline ✓'
A_RAW = r"\d+"
A_BYTES = b"\x00\xff"
A_COMPLEX = 3 + 4j
A_TUPLE = (1,)
A_EMPTY_TUPLE = ()
A_LIST = [1, [2, [3]]]
A_DICT = {"a": 1, (1, 2): "tuple key", None: 0}
A_SET = {3, 1, 2}
AN_EMPTY_SET = set()
A_FROZENSET = frozenset({"x"})
A_RANGE = range(1, 10, 3)
A_SLICE = slice(1, None, 2)
AN_INF = float("inf")
A_NAN = float("nan")
AN_ELLIPSIS = ...
A_BYTEARRAY = bytearray(b"ab")
# %%
def everything(x):
    return [
        str(A_INT), A_FLOAT, A_NEGATIVE, A_BOOL, A_NONE, A_TEXT, A_RAW, list(A_BYTES), abs(A_COMPLEX),
        list(A_TUPLE), list(A_EMPTY_TUPLE), A_LIST, A_DICT[(1, 2)], A_DICT[None], sorted(A_SET),
        len(AN_EMPTY_SET), sorted(A_FROZENSET), list(A_RANGE), [0, 1, 2, 3][A_SLICE], AN_INF > 1e308,
        math.isnan(A_NAN), AN_ELLIPSIS is ..., A_BYTEARRAY.decode(), x,
    ]
# %%
bj.build("case", everything, sample=0)
