# title: a Hugging Face pipeline of a tiny model made here
# expect: right
# needs: [transformers, torch, tokenizers]
# timeout: 240
# check: ["label('good good dog')"]
# %%
import torch
from tokenizers import Tokenizer, models as tm, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, pipeline
torch.manual_seed(0)
words = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "dog"])}
raw = Tokenizer(tm.WordLevel(words, unk_token="[UNK]"))
raw.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]")
config = BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, id2label={0: "NEG", 1: "POS"}, label2id={"NEG": 0, "POS": 1})
pipe = pipeline("text-classification", model=BertForSequenceClassification(config).eval(), tokenizer=tokenizer)
def label(text: str) -> dict:
    answer = pipe(text)[0]
    return {"label": answer["label"], "score": round(answer["score"], 5)}
# %%
bj.build("case", label, sample="bad dog")
