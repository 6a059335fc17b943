# title: a text pipeline with a tokenizer function of the notebook; the sample is a list of texts
# expect: right
# check: ["pipe.predict(['good dog', 'bad cat', 'x'])"]
# %%
import re
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
WORD = re.compile(r"[a-z]+")
def tokens(text): return [word[:4] for word in WORD.findall(text.lower())]
texts = ["good dog", "bad dog", "good cat", "terrible bad thing", "fine good"]
pipe = make_pipeline(CountVectorizer(tokenizer=tokens, token_pattern=None), MultinomialNB()).fit(texts, ["pos", "neg", "pos", "neg", "pos"])
# %%
bj.build("case", pipe, sample=["good thing", "bad"])
