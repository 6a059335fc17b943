# title: the second of two lambdas on one line
# expect: right
# check: [triple(9)]
# %%
double, triple = (lambda x: x * 2), (lambda x: x * 3)
# %%
bj.build("case", triple, sample=3)
