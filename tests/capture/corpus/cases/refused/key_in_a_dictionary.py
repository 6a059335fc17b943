# title: a secret inside a dictionary of settings
# expect: refused
# because: [SETTINGS, password]
# %%
SETTINGS = {"host": "db.example.com", "auth": {"user": "me", "password": "hunter2-but-longer-9X!"}}
def predict(x):
    return [x, SETTINGS["host"]]
# %%
bj.build("case", predict, sample=1)
