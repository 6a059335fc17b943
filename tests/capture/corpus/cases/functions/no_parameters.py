# title: an endpoint without parameters
# expect: right
# check: ["version()"]
# %%
VERSION = (1, 2, 3)
def version():
    return ".".join(map(str, VERSION))
# %%
bj.build("case", version, sample={})
