# title: functools.singledispatch with implementations over two cells
# expect: right
# check: ["show(3)", "show('x')", "show([1])"]
# %%
from functools import singledispatch
@singledispatch
def kind(value):
    return "something"
# %%
@kind.register
def _(value: int):
    return "a number"
@kind.register(str)
def _(value):
    return "a text"
# %%
def show(value: object):
    return kind(value)
# %%
bj.build("case", show, sample=1)
