# title: a decorator whose wrapper takes *args only
# expect: right
# kernel: changes
# check: ["area(4, 2.5)", "area(2, 2)"]
# %%
import functools
CALLS = []
def counted(function):
    @functools.wraps(function)
    def wrapper(*args):
        CALLS.append(function.__name__)
        return function(*args)
    return wrapper
# %%
@counted
def area(width: int, height: float) -> float:
    return width * height
# %%
bj.build("case", area, sample={"width": 3, "height": 2.0})
