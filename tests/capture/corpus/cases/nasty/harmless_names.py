# title: names with token, password and key in them that hold no secrets
# expect: right
# check: [f(3)]
# %%
tokens = ["the", "token", "list"]
token_counts = {"the": 2}
password_length = 12
max_tokens = 256
key = "name"
sort_key = "price"
ID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
def f(x, key_column="customer_id", secret=False): return [x, tokens, password_length, max_tokens, key, token_counts, sort_key, key_column, secret, ID]
# %%
bj.build("case", f, sample={"x": 1})
