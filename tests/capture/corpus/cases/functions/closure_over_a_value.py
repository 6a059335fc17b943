# title: a function made by a factory, with a value in its closure
# expect: right
# check: [scale(4)]
# %%
def make_scaler(factor, offset=0):
    def scale(x):
        return x * factor + offset
    return scale
scale = make_scaler(7, offset=1)
# %%
bj.build("case", scale, sample=1)
