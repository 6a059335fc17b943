# title: two functions of one factory with other values, and a third that calls both
# expect: right
# check: [both(4)]
# %%
def make(n):
    def inner(x):
        return x ** n
    return inner
square, cube = make(2), make(3)
# %%
def both(x):
    return [square(x), cube(x)]
# %%
bj.build("case", both, sample=2)
