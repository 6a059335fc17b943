# title: an API key in a constant
# expect: refused
# because: [API_KEY, "cell [2]", secret]
# %%
API_KEY = "sk-proj-4f9aB2kQ7xLmN8pR3sT6vW1yZ5cD0eGh"
def predict(x):
    return [x, API_KEY[:2]]
# %%
bj.build("case", predict, sample=1)
