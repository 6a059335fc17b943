# title: two functions that call each other, over two cells
# expect: right
# check: [is_even(11), is_even(8)]
# %%
def is_even(n):
    return True if n == 0 else is_odd(n - 1)
# %%
def is_odd(n):
    return False if n == 0 else is_even(n - 1)
# %%
bj.build("case", is_even, sample=4)
