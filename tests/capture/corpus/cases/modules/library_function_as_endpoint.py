# title: the endpoint is a function of an installed library
# expect: right
# check: ["escape('<b>')"]
# %%
from html import escape
# %%
bj.build("case", escape, sample={"s": "a & b"})
