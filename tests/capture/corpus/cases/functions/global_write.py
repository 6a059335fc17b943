# title: a function that writes a global: its answers depend on the calls before
# expect: refused
# because: [add]
# kernel: changes
# %%
total = 0
def add(x):
    global total
    total += x
    return total
# %%
bj.build("case", add, sample=5)
