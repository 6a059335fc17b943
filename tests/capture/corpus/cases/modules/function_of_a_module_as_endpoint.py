# title: the endpoint itself is a function of a module of the project
# expect: right
# check: ["score(4)"]
# %%
%%writefile scoring.py
from scoring_rules import BASE
def score(x: int) -> int:
    return x + BASE
# %%
%%writefile scoring_rules.py
BASE = 9
# %%
from scoring import score
# %%
bj.build("case", score, sample=1)
