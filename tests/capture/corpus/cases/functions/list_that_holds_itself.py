# title: a list that contains itself
# expect: right
# check: ["depth(3)"]
# %%
loop = [1]
loop.append(loop)
def depth(n):
    at = loop
    for _ in range(n):
        at = at[1]
    return at[0] + n
# %%
bj.build("case", depth, sample=1)
