# title: a key in a module of the user's project
# expect: refused
# because: [settings.py]
# %%
%%writefile settings.py
SECRET_KEY = "sk-proj-4f9aB2kQ7xLmN8pR3sT6vW1yZ5cD0eGh"
FACTOR = 3
# %%
import settings
def predict(x):
    return x * settings.FACTOR
# %%
bj.build("case", predict, sample=1)
