"""Captured code does in a fresh process what it does in the notebook."""

# ruff: noqa: E501, ISC004 - cells are easier to read on one line

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture.source_cells import assert_same, main_kept, notebook

RIGHT: dict[str, tuple[list[str], list[str], list[str]]] = {
    "a function, its helpers, constants and imports over several cells": (
        [
            "import math as m\nfrom os.path import basename as base\nRATE = 0.5",
            "def helper(x, k=3):\n    'Doc.'\n    return x * RATE + m.sin(k)",
            "def predict(xs):\n    return [helper(x) for x in xs], base('a/b')",
        ],
        ["predict"],
        ["predict([1, 2])"],
    ),
    "cells out of order": (
        ["def f(x): return g(x) + K", "def g(x): return 2 * x", "K = 1", "K = 5"],
        ["f"],
        ["f(1)"],
    ),
    "recursion and mutual recursion": (
        [
            "def even(n): return n == 0 or odd(n - 1)",
            "def odd(n): return n != 0 and even(n - 1)",
            "def fact(n): return 1 if n < 2 else n * fact(n - 1)",
        ],
        ["even", "fact"],
        ["even(10), odd(7), fact(5)"],
    ),
    "a builtin that is shadowed": (
        ["def sum(xs): return -1", "def f(xs): return sum(xs), len(xs)"],
        ["f"],
        ["f([1])"],
    ),
    "a class over three cells": (
        [
            "class A:\n    K = 1\n    def go(self): return self.K",
            "class B(A):\n    K = 2\n    def go(self): return super().go() * 10",
            "class C(B):\n    @property\n    def twice(self): return self.go() * 2\n"
            "    @staticmethod\n    def s(x): return x\n    @classmethod\n    def c(cls): return cls.K",
        ],
        ["C"],
        ["C().twice, C.s(3), C.c(), [k.__name__ for k in C.__mro__]"],
    ),
    "dataclass, NamedTuple, Enum": (
        [
            """
            from dataclasses import dataclass, field
            from enum import Enum, IntFlag, auto
            from typing import NamedTuple
            LIMIT = 7
            class Color(Enum):
                RED = 'r'
                BLUE = 'b'
                @property
                def short(self): return self.value
            class Perm(IntFlag):
                R = auto()
                W = auto()
            class Point(NamedTuple):
                x: int
                y: int = 2
            @dataclass(frozen=True)
            class Cfg:
                p: Point
                color: Color = Color.RED
                limit: int = LIMIT
                items: list = field(default_factory=lambda: [1])
            def f(): return Cfg(Point(1)), Color.BLUE.short, Perm.R | Perm.W, list(Color)
            """
        ],
        ["f"],
        ["f()"],
    ),
    "classes made by a call": (
        [
            "from collections import namedtuple\nfrom enum import Enum\nfrom typing import NewType, TypeVar, Generic, Optional\n"
            "P = namedtuple('P', 'x y', defaults=[3])\nE = Enum('E', 'A B')\nT = TypeVar('T')\nUid = NewType('Uid', int)\n"
            "Vec = Optional[list[float]]\n"
            "class Box(Generic[T]):\n    def __init__(self, v: T): self.v = v\n"
            "def f(u: Uid, v: Vec = None): return P(1), E.B, Box[int](u).v, E(1)"
        ],
        ["f"],
        ["f(4)"],
    ),
    "attribute-only classes": (
        [
            "class Cfg:\n    rate = 1",
            "class Cfg:\n    '''The newer.'''\n    rate = 2\n    table = {'a': [1, 2]}",
            "def f(): return Cfg.rate, Cfg.table",
        ],
        ["f"],
        ["f()"],
    ),
    "class attributes and methods changed since": (
        [
            "class M:\n    rate = 1\n    seen = []\n    def go(self): return self.rate\n    def stop(self): return 0",
            "def other(self): return self.rate * 100, self.more\nM.go = other\nM.rate = 5\nM.more = 'x'\nM.seen.append(3)\n"
            "M.extra = property(lambda self: self.rate + 1)\ndel M.stop",
            "def f(): m = M(); return m.go(), m.extra, M.seen, hasattr(M, 'stop')",
        ],
        ["f"],
        ["f()"],
    ),
    "closures with their values": (
        [
            "def scaler(k, off=0):\n    def scale(x):\n        '''Two\n        lines.'''\n        return x * k + off\n    return scale",
            "double = scaler(2)\ntriple = scaler(3, off=1)\ndel scaler",
            "def f(x): return double(x), triple(x), double.__name__, double.__doc__",
        ],
        ["f"],
        ["f(5)"],
    ),
    "a counter keeps its count": (
        [
            "def counter():\n    n = 0\n    def tick():\n        nonlocal n\n        n += 1\n        return n\n    return tick",
            "tick = counter(); tick(); tick()",
        ],
        ["tick"],
        ["tick()"],
    ),
    "an inner function that calls itself": (
        [
            "def make(k):\n    def fact(n): return k if n < 2 else n * fact(n - 1)\n    return fact",
            "g = make(10)",
        ],
        ["g"],
        ["g(4)"],
    ),
    "decorators of the notebook": (
        [
            """
            import functools, time
            def timed(f):
                @functools.wraps(f)
                def wrapper(*args):
                    return ('timed', f(*args))
                return wrapper
            def scale(by):
                def deco(f):
                    def inner(x):
                        return by * f(x)
                    return inner
                return deco
            def mark(f):
                f.marked = True
                return f
            FACTOR = 3
            """,
            """
            @timed
            def a(x):
                return x + 1
            @scale(by=4)
            def b(x): return x
            @scale(FACTOR)
            def c(x): return x
            @timed
            @scale(2)
            def d(x): return x
            @mark
            def e(x): return x
            def f(x): return a(x), b(x), c(x), d(x), e(x), e.marked, a.__name__
            """,
            "FACTOR = 100",
        ],
        ["f"],
        ["f(2)"],
    ),
    "a decorator with state goes on where it was": (
        [
            """
            def count(f):
                n = 0
                def inner(x):
                    nonlocal n
                    n += 1
                    return n, f(x)
                return inner
            def memo(f):
                seen = {}
                def inner(x):
                    if x not in seen: seen[x] = f(x)
                    return seen[x], len(seen)
                return inner
            @count
            def a(x): return x
            @memo
            def b(x): return x
            a(1); a(1); b(1); b(2)
            """
        ],
        ["a", "b"],
        ["a(5), b(7)"],
    ),
    "a decorator that was redefined since": (
        [
            "def deco(f):\n    def w(x): return 'old', f(x)\n    return w",
            "@deco\ndef a(x): return x",
            "def deco(f):\n    def w(x): return 'new', f(x)\n    return w",
            "@deco\ndef b(x): return x",
            "def f(x): return a(x), b(x)",
        ],
        ["f"],
        ["f(1)"],
    ),
    "a class as a decorator, and a decorator of classes": (
        [
            """
            REGISTRY = {}
            def register(cls):
                REGISTRY[cls.__name__] = cls
                cls.tag = 'T'
                return cls
            @register
            class A:
                def go(self): return 1
            def f(): return REGISTRY['A']().go(), A.tag, len(REGISTRY)
            """
        ],
        ["f"],
        ["f()"],
    ),
    "functions of functools and contextlib": (
        [
            """
            import functools
            from contextlib import contextmanager
            from functools import partial
            SIZE = 10
            @functools.lru_cache(maxsize=SIZE)
            def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
            @functools.cache
            def sq(n): return n * n
            @contextmanager
            def ctx(v):
                yield v + 1
            @functools.singledispatch
            def kind(x): return 'any'
            @kind.register(int)
            def _(x): return 'int'
            @kind.register
            def _(x: str): return 'str'
            def power(base, exp): return base ** exp
            cube = partial(power, exp=3)
            class Lazy:
                @functools.cached_property
                def v(self): return 41
            def f():
                with ctx(1) as c:
                    return fib(20), sq(3), c, kind(1), kind('a'), kind(None), cube(2), Lazy().v
            """
        ],
        ["f"],
        ["f()"],
    ),
    "lambdas on one line": (
        [
            "fs = [lambda x: x + 1, lambda x: x + 2, lambda x, k=3: x + k, lambda x, k=4: x + k]",
            "a, b = lambda: 'a', lambda: 'b'",
            "g = lambda x: (\n    x,  # first\n    K,\n)\nK = 9",
            "hs = [(lambda x, i=i: x * i) for i in range(3)]\nks = [(lambda n: lambda x: x * n)(i) for i in range(3)]",
            "def f(x): return [h(x) for h in fs], a(), b(), g(x), [h(x) for h in hs], [h(x) for h in ks]",
        ],
        ["f"],
        ["f(10)"],
    ),
    "defaults that are objects, mutable, or changed": (
        [
            """
            class Tag: pass
            def h(x): return x * 2
            K = 5
            def f(x, fn=h, k=K, acc=[], *, kind=Tag, opts={'a': 1}, last=h):
                acc.append(x)
                return fn(x), k, acc, kind.__name__, opts, last(x)
            f(1)
            """,
            "K = 100\ndef h(x): return x * 3",
            "def g(x, y=1, *, z=2): return x, y, z\ng.__defaults__ = (7, 8)\ng.__kwdefaults__ = {'z': 9}",
        ],
        ["f", "g"],
        ["f(2), g()"],
    ),
    "changed code and names": (
        [
            "def a(x): return 'a', x\ndef b(x): return 'b', x\na.__code__ = b.__code__",
            "def f(x): return a(x), b(x)",
        ],
        ["f"],
        ["f(1)"],
    ),
    "an old helper held by a closure beside the new one": (
        [
            "def helper(x): return 'old', x",
            "def make(h):\n    return lambda x: h(x)\nheld = make(helper)\ndef by_default(x, h=helper): return h(x)",
            "def helper(x): return 'new', x",
            "def f(x): return held(x), by_default(x), helper(x)",
        ],
        ["f"],
        ["f(1)"],
    ),
    "an old base class beside the new one": (
        [
            "class Base:\n    def __init__(self): self.__v = 'old'\n    def go(self): return self.__v",
            "class Sub(Base): pass",
            "class Base:\n    def go(self): return 'new'",
            "def f(): return Sub().go(), Base().go()",
        ],
        ["f"],
        ["f()"],
    ),
    "scopes: comprehensions, walrus, match, f-strings, nested functions": (
        [
            """
            A, B, C, D = 1, 2, 3, 4
            def f(xs):
                A = 10
                def inner():
                    return A + B
                found = [y for x in xs if (y := x + C)]
                text = f"{D:>{B}} {[D for D in xs]}"
                match xs:
                    case [first, *rest]:
                        kind = first, rest
                    case _:
                        kind = None
                class Local:
                    B = B
                    v = [C for _ in range(2)]
                return inner(), found, text, kind, Local.B, Local.v, y, {k: v for k, v in zip('ab', xs)}
            """
        ],
        ["f"],
        ["f([1, 2])"],
    ),
    "async functions and generators": (
        [
            """
            import asyncio
            async def get(x):
                await asyncio.sleep(0)
                return x + 1
            async def stream(n):
                for i in range(n):
                    yield await get(i)
            def gen(n):
                got = yield from range(n)
            async def main(): return [x async for x in stream(3)], list(gen(2)), await get(1)
            def f(): return asyncio.new_event_loop().run_until_complete(main())
            """
        ],
        ["f"],
        ["f()"],
    ),
    "star imports, conditional imports, aliases": (
        [
            "from math import *\nfrom string import ascii_lowercase as letters\nimport xml.etree.ElementTree as ET\nimport os.path",
            "try:\n    import no_such_module as js\nexcept ImportError:\n    import json as js",
            "def f(x):\n    import statistics\n    from collections import Counter as C\n"
            "    return floor(x), pi, letters[:2], js.dumps([x]), ET.fromstring('<a/>').tag, os.path.basename('a/b'), "
            "statistics.mean([1, 2]), C('aa')",
        ],
        ["f"],
        ["f(2.5)"],
    ),
    "submodules by attribute": (
        [
            "import xml\nimport xml.dom.minidom\nimport concurrent.futures\nimport importlib",
            "import importlib.metadata",
            "def f(): return xml.dom.minidom.parseString('<a/>').documentElement.tagName, concurrent.futures.FIRST_COMPLETED, importlib.metadata.__name__",
        ],
        ["f"],
        ["f()"],
    ),
    "magics in the defining cell": (
        ["%pwd\ndef f(x): return x + K\n!true\nK = 1", "%%capture\ndef g(x): return f(x) * 2"],
        ["g"],
        ["g(1)"],
    ),
    "%%time": (
        [
            "%%time\n\nK = 3\ndef f(x):\n    return x + K\nclass A:\n    v = 7\nclass B:\n    def go(self): return A.v"
        ],
        ["f", "B"],
        ["f(1), B().go()"],
    ),
    "annotations under from __future__": (
        [
            "from __future__ import annotations\nclass Cfg:\n    x: Missing = 1\ndef f(x: Undefined = 3) -> Cfg:\n    y: Nope = x\n    return x, f.__annotations__, Cfg.__annotations__"
        ],
        ["f"],
        ["f()"],
    ),
    "string annotations, and names in them": (
        [
            "from typing import get_type_hints\nclass Cfg:\n    x: int = 1\n    nxt: 'Cfg' = None\ndef f(c: 'Cfg' = None) -> 'list[Cfg]':\n    return sorted(get_type_hints(f)), get_type_hints(Cfg)['x']"
        ],
        ["f"],
        ["f()"],
    ),
    "a type that was redefined since": (
        [
            "class T:\n    v = 1",
            "def f(x: T) -> T: return T.v, f.__annotations__['x'].v",
            "class T:\n    v = 2",
        ],
        ["f"],
        ["f(0)"],
    ),
    "globals by text": (
        ["K = 3\ndef f(): return globals()['K'], globals().get('K', 0), eval('K + 1')"],
        ["f"],
        ["f()"],
    ),
    "attributes on functions": (
        ["def f(x):\n    f.calls += 1\n    return f.calls, f.unit\nf.calls = 0\nf.unit = 'm'\nf(1)"],
        ["f"],
        ["f(1)"],
    ),
    "two names of one object": (
        [
            "A = [1, 2]\nB = A\nC = {'a': A}\ndef f():\n    A.append(3)\n    return A is B, C['a'] is A, C\ndef g(): return f()\nh = g"
        ],
        ["h"],
        ["h()"],
    ),
    "metaclass, slots, class keywords, nested class": (
        [
            """
            class Meta(type):
                def __new__(m, name, bases, ns, **kw):
                    c = super().__new__(m, name, bases, ns)
                    c.kw = kw
                    return c
                def __init__(c, *a, **kw): pass
            class A(metaclass=Meta, flag=1):
                __slots__ = ('x',)
                class Inner:
                    def v(self): return 'inner'
                def __init__(self): self.x = self.Inner().v()
            def f(): return A().x, A.kw
            """
        ],
        ["f"],
        ["f()"],
    ),
    "abstract classes, protocols, typed dicts": (
        [
            """
            from abc import ABC, abstractmethod
            from typing import Protocol, TypedDict, ClassVar
            class Shape(ABC):
                count: ClassVar[int] = 0
                @abstractmethod
                def area(self): ...
            class Sq(Shape):
                def area(self): return 4
            class Has(Protocol):
                def area(self) -> int: ...
            class Row(TypedDict, total=False):
                a: int
            def f(s: Has) -> Row: return Row(a=s.area()), Shape.__abstractmethods__, Row.__total__
            """
        ],
        ["f", "Sq"],
        ["f(Sq())"],
    ),
    "pydantic models": (
        [
            """
            from pydantic import BaseModel, Field, field_validator
            LOW = 1
            class Inner(BaseModel):
                v: int = 2
            class In(BaseModel):
                x: int = Field(ge=LOW)
                inner: Inner = Inner()
                name: str = "n"
                @field_validator('name')
                @classmethod
                def low(cls, v): return v.lower()
            def f(x): return In(x=x, name='ABC'), Inner()
            """
        ],
        ["f"],
        ["f(3)"],
    ),
    "a class in a function": (
        [
            "def make(k):\n    class Model:\n        def go(self): return k\n        @classmethod\n        def new(cls): return cls()\n    return Model",
            "M = make(6)\ndef f(): return M().go(), M.new().go()",
        ],
        ["f"],
        ["f()"],
    ),
    "methods with a decorator of the notebook, and defaults": (
        [
            """
            import functools
            def log(f):
                @functools.wraps(f)
                def w(self, *a): return ('log', f(self, *a))
                return w
            D = [1]
            class A:
                @log
                def go(self, x, d=D): return x, d
                @functools.lru_cache(maxsize=None)
                def slow(self, x): return x
                x = property(lambda self: 5)
                @property
                def y(self): return self._y
                @y.setter
                def y(self, v): self._y = v
                make = lambda self: 8
            def f():
                a = A(); a.y = 3
                return a.go(1), a.slow(2), a.x, a.y, a.make()
            """
        ],
        ["f"],
        ["f()"],
    ),
    "builtins and methods of builtins as values": (
        [
            "import operator\nup = str.upper\nsize = len\nget = operator.itemgetter\nfk = dict.fromkeys\ndef f(x): return up(x), size(x), get(0)(x), fk(x)"
        ],
        ["f"],
        ["f('ab')"],
    ),
    "loggers": (
        ["import logging\nlog = logging.getLogger('mine')\ndef f(): log.debug('x'); return log.name"],
        ["f"],
        ["f()"],
    ),
    "names like those of the module that is written": (
        ["def load(x): return x\nfolder = 3\nPath = 4\ndef f(): return load(folder), Path"],
        ["f"],
        ["f()"],
    ),
    "classes that enter themselves into a list": (
        [
            """
            ALL = []
            NAMED = {}
            class Base:
                own = []
                def __init_subclass__(cls, **kw):
                    Base.own.append(cls.__name__)
                    ALL.append(cls)
                    NAMED[cls.__name__] = cls
            class A(Base): pass
            class B(Base): pass
            def f(): return Base.own, [c.__name__ for c in ALL], sorted(NAMED), A.__name__, ALL[0] is A
            """
        ],
        ["f"],
        ["f()"],
    ),
    "a docstring that was changed": (
        ["def f():\n    'old'\n    return f.__doc__\nf.__doc__ = 'new'"],
        ["f"],
        ["f()"],
    ),
    "generic functions and classes": (
        [
            "def f[T](x: T) -> list[T]: return [x, K]\nclass Box[T]:\n    def get(self, x: T) -> T: return f(x)\ntype V = list[int]\nK = 1"
        ]
        if sys.version_info >= (3, 12)
        else ["K = 1\ndef f(x): return x"],
        ["f"],
        ["f(3)"],
    ),
}


@pytest.fixture(autouse=True)
def main() -> Iterator[None]:
    with main_kept():
        yield


@pytest.mark.parametrize("case", RIGHT)
def test_it_answers_as_in_the_notebook(case: str, tmp_path: Path) -> None:
    cells, roots, expressions = RIGHT[case]
    assert_same(notebook(*cells), roots, expressions, tmp_path)
