# title: an environment variable that is set in the kernel only, with a default
# expect: refused
# because: [MODE]
# %%
%env CORPUS_CASE_MODE=fancy
import os
def predict(x):
    return f"{os.environ.get('CORPUS_CASE_MODE', 'plain')} {x}"
# %%
bj.build("case", predict, sample=1)
