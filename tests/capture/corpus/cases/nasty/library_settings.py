# title: settings of libraries that a cell has changed and the answer depends on
# expect: either
# check: ["f('3')"]
# because: [f]
# %%
import decimal
decimal.getcontext().prec = 50
def f(x: str) -> str: return str(1 / decimal.Decimal(x))
# %%
bj.build("case", f, sample="7")
