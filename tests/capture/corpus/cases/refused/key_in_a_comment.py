# title: a key in a comment of the captured source
# expect: either
# check: [predict(2)]
# because: [predict]
# absent: [AKIAIOSFODNN7EXAMPLZ, wJalrXUtnFEMIK7MDENGbPxRfiCYz1kQ8vT5sR2u]
# %%
def predict(x):
    # aws_access_key_id = AKIAIOSFODNN7EXAMPLZ
    # aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYz1kQ8vT5sR2u
    return x + 1
# %%
bj.build("case", predict, sample=1)
