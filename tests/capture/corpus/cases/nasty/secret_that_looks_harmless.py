# title: high entropy in a harmless name: a hash, a uuid and a base64 image are no secrets
# expect: right
# check: [f(3)]
# %%
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
COMMIT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
tokens = ["the", "token", "list"]
password_length = 12
max_tokens = 256
key = "name"
def f(x): return [x, DIGEST[:4], ID[:4], COMMIT[:4], tokens, password_length, max_tokens, key]
# %%
bj.build("case", f, sample=1)
