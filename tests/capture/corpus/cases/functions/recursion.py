# title: a recursive function
# expect: right
# check: [fib(15), fib(0)]
# %%
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
# %%
bj.build("case", fib, sample=10)
