# title: an API key in the function body
# expect: refused
# because: [predict, "cell [2]", secret]
# %%
def predict(x):
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    return [x, len(token)]
# %%
bj.build("case", predict, sample=1)
