# title: a class as decorator, with arguments
# expect: right
# check: ["value(4)"]
# %%
class Times:
    def __init__(self, n):
        self.n = n
    def __call__(self, function):
        def wrapper(x):
            return function(x) * self.n
        return wrapper
# %%
@Times(5)
def value(x):
    return x + 1
# %%
bj.build("case", value, sample=1)
