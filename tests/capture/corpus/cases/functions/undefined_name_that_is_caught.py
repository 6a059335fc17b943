# title: a name that does not exist, in a try block that expects it
# expect: right
# check: [probe(1)]
# %%
def probe(x):
    try:
        return fancy_global_that_is_not_there
    except NameError:
        return x + 1
# %%
bj.build("case", probe, sample=1)
