# title: a metaclass, __slots__, __init_subclass__, a descriptor and __class_getitem__
# expect: right
# check: ["run(3)"]
# %%
class Registry(type):
    seen = []
    def __new__(meta, name, bases, body, **options):
        cls = super().__new__(meta, name, bases, body)
        meta.seen.append(name)
        return cls
class Positive:
    def __set_name__(self, owner, name): self.name = "_" + name
    def __get__(self, obj, owner=None): return self if obj is None else getattr(obj, self.name)
    def __set__(self, obj, value): setattr(obj, self.name, abs(value))
class Base(metaclass=Registry):
    kinds = {}
    def __init_subclass__(cls, kind="none", **options):
        super().__init_subclass__(**options)
        Base.kinds[kind] = cls.__name__
class Slotted(Base, kind="slotted"):
    __slots__ = ("_size", "x")
    size = Positive()
    def __init__(self, size): self.size = size
def run(x):
    return [Slotted(-x).size, Base.kinds, Registry.seen]
# %%
bj.build("case", run, sample=1)
