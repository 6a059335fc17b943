# title: a socket
# expect: refused
# because: [connection]
# %%
import socket
connection = socket.socket()
def predict(x):
    return [x, connection.family.value]
# %%
bj.build("case", predict, sample=1)
