# title: magics and shell lines in the cell that defines the function
# expect: right
# check: [double(4)]
# %%
%matplotlib --list
!echo installing nothing
files = !ls
import json
%env CORPUS_MODE=test
def double(x):
    # a comment with % and ! signs
    return json.loads(f"{x * 2}")
%who
# %%
bj.build("case", double, sample=3)
