# title: a closure that counts its calls
# expect: refused
# because: [count]
# kernel: changes
# %%
def counter():
    calls = 0
    def count(x):
        nonlocal calls
        calls += 1
        return calls + x
    return count
count = counter()
# %%
bj.build("case", count, sample=1)
