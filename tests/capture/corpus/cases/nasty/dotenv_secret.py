# title: a token in a class attribute whose name says nothing
# expect: refused
# because: [Client]
# %%
class Client:
    value = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
    def ask(self, x): return [x, len(self.value)]
# %%
bj.build("case", Client, sample=1)
