# title: the endpoint itself is named service
# expect: right
# check: ["service(3)"]
# %%
def service(x):
    return x + 1
# %%
bj.build("case", service, sample=1)
