# title: getter and setter of one closure
# expect: right
# check: ["read(3)"]
# %%
def make():
    value = {"n": 5}
    def get(): return value["n"]
    def put(n): value["n"] = n
    return get, put
get, put = make()
put(9)
def read(x):
    return get() + x
# %%
bj.build("case", read, sample=1)
