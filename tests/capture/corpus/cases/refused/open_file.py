# title: an open file
# expect: refused
# because: [log_file, "cell [2]"]
# %%
log_file = open("calls.log", "w")
def predict(x):
    log_file.write(str(x))
    return x
# %%
bj.build("case", predict, sample=1)
