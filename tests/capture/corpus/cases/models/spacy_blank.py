# title: a blank spaCy pipeline with a component of the notebook
# expect: right
# needs: spacy
# timeout: 240
# check: ["tokens('Good dogs bark.')"]
# %%
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
def tokens(text: str) -> list[str]:
    doc = nlp(text)
    return [t.text.lower() for t in doc] + [str(len(list(doc.sents)))]
# %%
bj.build("case", tokens, sample="It is. So it is.")
