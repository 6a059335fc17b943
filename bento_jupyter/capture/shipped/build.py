"""Build the Bento of this folder: put the model into BentoML's model store, then build.

    python build.py [--version VERSION]

Prints the tag of the Bento as its last line. When the build fails, the model is taken out again.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

HERE = Path(__file__).resolve().parent


def put_model() -> tuple[str, bool]:
    """Put `model/` into the store; the model's tag, and whether it is new there."""
    import bentoml

    about = json.loads((HERE / "model" / "model.json").read_text(encoding="utf-8"))
    try:
        bentoml.models.get(about["tag"])
    except bentoml.exceptions.NotFound:
        with bentoml.models.create(about["tag"], labels=about["labels"], metadata=about["metadata"]) as model:
            shutil.copy(HERE / "model" / "model.joblib", model.path_of("model.joblib"))
        return about["tag"], True
    return about["tag"], False


def main() -> None:
    """Build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", help="version of the Bento; BentoML makes one when it is not given")
    options = parser.parse_args()

    import bentoml
    from bentoml.bentos import build_bentofile

    os.chdir(HERE)
    sys.dont_write_bytecode = True
    model, is_new = put_model()
    try:
        bento = build_bentofile("bentofile.yaml", version=options.version, build_ctx=str(HERE))
    except BaseException:
        if is_new:
            bentoml.models.delete(model)
        raise
    sys.stdout.write(f"{bento.tag}\n")


if __name__ == "__main__":
    main()
