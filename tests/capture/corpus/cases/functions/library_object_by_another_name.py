# title: functions of C and Python libraries under names of the notebook
# expect: right
# check: ["work([3, 1, 2])"]
# %%
import operator, itertools, functools
add = operator.add
flatten = itertools.chain.from_iterable
fold = functools.reduce
lower = str.lower
# %%
def work(values):
    return [fold(add, values), list(flatten([values, values])), list(map(lower, ["A", "B"]))]
# %%
bj.build("case", work, sample=[1, 2])
