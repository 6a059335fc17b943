# title: a function that answers with an open socket in a dictionary
# expect: refused
# because: [make, socket]
# %%
import socket
def make(x):
    return {"x": x, "s": socket.socket()}
# %%
bj.build("case", make, sample=1)
