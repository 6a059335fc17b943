# title: names that a class body would mangle
# expect: either
# because: [__score]
# check: [__score(3)]
# %%
import numpy as np
__weights = np.arange(1000.0)
def __helper(x): return x + float(__weights[5])
class Keeper:
    def __init__(self): self.__secret_free = 4
    def __inner(self): return self.__secret_free
    def outer(self): return self.__inner()
def __score(x):
    return __helper(x) + Keeper().outer()
# %%
bj.build("case", __score, sample=1)
