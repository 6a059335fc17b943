# title: a token in a url constant
# expect: refused
# because: [URL]
# %%
URL = "postgresql://admin:S3cr3tPassw0rd@db.example.com:5432/app"
def predict(x):
    return [x, URL.split(":")[0]]
# %%
bj.build("case", predict, sample=1)
