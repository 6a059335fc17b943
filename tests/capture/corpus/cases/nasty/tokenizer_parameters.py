# title: a function with parameters named token and password, which are data
# expect: right
# check: ["check('abc', 'def')"]
# %%
def check(token: str, password: str) -> bool:
    return token == password
# %%
bj.build("case", check, sample=("a", "a"))
