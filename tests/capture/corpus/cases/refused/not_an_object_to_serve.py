# title: things that nothing can be served of
# expect: refused
# because: [module]
# %%
import math
# %%
bj.build("case", math, sample=1)
