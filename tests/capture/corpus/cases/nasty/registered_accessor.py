# title: a pandas accessor registered by a notebook class
# expect: either
# check: ["f(df.tail(2))"]
# because: [shop]
# %%
import pandas as pd
df = pd.DataFrame({"price": [1.0, 2, 3]})
@pd.api.extensions.register_dataframe_accessor("shop")
class Shop:
    def __init__(self, frame): self.frame = frame
    def gross(self): return self.frame["price"] * 1.19
def f(frame): return frame.shop.gross()
# %%
bj.build("case", f, sample=df.head(2))
