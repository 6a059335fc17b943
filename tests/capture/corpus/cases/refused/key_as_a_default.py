# title: a password as a default argument
# expect: refused
# because: [password]
# %%
def predict(x, password="Tr0ub4dor&3-correct-horse"):
    return [x, len(password)]
# %%
bj.build("case", predict, sample={"x": 1})
