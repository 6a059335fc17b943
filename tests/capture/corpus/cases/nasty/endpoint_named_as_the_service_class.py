# title: endpoint, helper and class named as the class that the Bento gets
# expect: right
# check: [Case(3)]
# %%
class Cases:
    n = 2
def case(x): return x + Cases.n
def Case(x):
    return case(x) * 10
# %%
bj.build("case", Case, sample=1)
