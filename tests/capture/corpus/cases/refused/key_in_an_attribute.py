# title: a secret in an attribute of an instance
# expect: refused
# because: [client, api_key]
# %%
class Client:
    def __init__(self, api_key): self.api_key = api_key
    def ask(self, x): return [x, len(self.api_key)]
client = Client("sk-proj-4f9aB2kQ7xLmN8pR3sT6vW1yZ5cD0eGh")
# %%
bj.build("case", client, sample=1)
