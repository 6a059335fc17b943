# title: a PIL image in and its size out
# expect: right
# needs: PIL
# check: ["measure(Image.new('RGB', (7, 3), 'blue'))"]
# %%
from PIL import Image
def measure(image: Image.Image) -> dict:
    return {"size": list(image.size), "colour": list(image.getpixel((0, 0)))}
# %%
bj.build("case", measure, sample=Image.new("RGB", (4, 2), "red"))
