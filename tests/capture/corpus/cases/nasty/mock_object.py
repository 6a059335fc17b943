# title: a unittest.mock object in a global
# expect: either
# check: ["f(3)"]
# because: [service]
# %%
from unittest.mock import Mock
service = Mock(return_value=4)
def f(x): return x + service(1)
# %%
bj.build("case", f, sample=1)
