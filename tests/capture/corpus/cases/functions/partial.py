# title: functools.partial of a notebook function
# expect: right
# check: ["cubed(4)"]
# %%
from functools import partial
def power(base, exponent, plus=0):
    return base ** exponent + plus
cubed = partial(power, exponent=3, plus=1)
# %%
bj.build("case", cubed, sample=2)
