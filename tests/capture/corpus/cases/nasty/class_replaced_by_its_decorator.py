# title: a class decorator that returns another class, a function and a registered one
# expect: right
# check: ["f(3)"]
# %%
import functools
ALL = []
def registered(cls):
    ALL.append(cls.__name__)
    return cls
def with_bonus(cls):
    class Better(cls):
        bonus = 100
        def value(self): return super().value() + self.bonus
    return Better
def singleton(cls):
    made = {}
    @functools.wraps(cls, updated=())
    def get(*args):
        if cls not in made: made[cls] = cls(*args)
        return made[cls]
    return get
# %%
@registered
@with_bonus
class Model:
    def value(self): return 1
@singleton
class Only:
    n = 9
@functools.total_ordering
class Ranked:
    def __init__(self, r): self.r = r
    def __eq__(self, other): return self.r == other.r
    def __lt__(self, other): return self.r < other.r
def f(x):
    return [Model().value() + x, Only() is Only(), Only().n, Ranked(1) >= Ranked(0), ALL]
# %%
bj.build("case", f, sample=1)
