# title: a partial of a partial of a library function
# expect: right
# check: ["parse('11')"]
# %%
from functools import partial
binary = partial(int, base=2)
def parse(text):
    return binary(text) + partial(pow, 2)(3)
# %%
bj.build("case", parse, sample="101")
