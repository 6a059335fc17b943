# title: a value of the environment that a constant was made of
# expect: refused
# because: [PASSWORD]
# %%
%env DB_PASSWORD=correct-horse-battery-staple-42
import os
PASSWORD = os.environ["DB_PASSWORD"]
def predict(x):
    return [x, len(PASSWORD)]
# %%
bj.build("case", predict, sample=1)
