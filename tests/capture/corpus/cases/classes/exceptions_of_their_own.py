# title: own exception classes with a hierarchy, caught by a helper
# expect: right
# check: ["safe(0)", "safe(2)"]
# %%
class Problem(Exception):
    code = 1
class Zero(Problem, ZeroDivisionError):
    code = 2
    def __init__(self, what): super().__init__(f"zero {what}"); self.what = what
def divide(x):
    if x == 0: raise Zero("input")
    return 1 / x
def safe(x):
    try:
        return divide(x)
    except Problem as error:
        return [str(error), error.code, error.what]
# %%
bj.build("case", safe, sample=1)
