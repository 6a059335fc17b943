# title: a parameter has the name of a global that a helper uses
# expect: right
# check: ["f(3)"]
# %%
threshold = 10
def over(x): return x > threshold
def f(threshold):
    return [over(threshold), threshold]
# %%
bj.build("case", f, sample=11)
