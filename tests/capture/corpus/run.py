"""Runs the corpus and reports: `python tests/capture/corpus/run.py [WORD...]`; WORDs choose cases by name.

Writes `build/corpus.md`. Exit code 1 when a case came out otherwise than it has to.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from capture.corpus import report  # noqa: E402
from capture.corpus.cases import Case, load_cases  # noqa: E402
from capture.corpus.runner import Outcome, environment_ready, run_case  # noqa: E402
from notebooks.kernels import Workplace, make_workplace  # noqa: E402


def main() -> int:
    """Run the cases that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="cases with one of these in their name; default: all")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time; default: 2")
    parser.add_argument("--plain", action="store_true", help="check with `bentoml serve`")
    parser.add_argument("--verbose", "-v", action="store_true", help="show all that a case said")
    parser.add_argument("--failed", action="store_true", help="only those that came out wrong last time")
    arguments = parser.parse_args()
    environment_ready()
    last = ROOT / "build" / "corpus.failed.json"
    cases = load_cases(*arguments.words)
    if arguments.failed and last.is_file():
        names = set(json.loads(last.read_text()))
        cases = [case for case in cases if case.name in names]
    begin = time.perf_counter()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="corpus-", ignore_cleanup_errors=True) as folder:
        place = make_workplace(Path(folder))

        def run(case: Case) -> Outcome:
            store, notebook = (Path(folder) / what / case.name.replace("/", "-") for what in ("store", "nb"))
            store.mkdir(parents=True)
            notebook.mkdir(parents=True)
            return run_case(case, Workplace(place.home, store), notebook, plain=arguments.plain)

        with ThreadPoolExecutor(arguments.jobs) as pool:
            for done in as_completed([pool.submit(run, case) for case in cases]):
                outcome = done.result()
                outcomes.append(outcome)
                print(report.line(outcome), flush=True)
                if arguments.verbose:
                    print(outcome.text, flush=True)
    outcomes.sort(key=lambda outcome: outcome.case.name)
    seconds = time.perf_counter() - begin
    last.parent.mkdir(exist_ok=True)
    last.with_name("corpus.md").write_text(report.markdown(outcomes, seconds), encoding="utf-8")
    bad = [outcome for outcome in outcomes if not outcome.good]
    last.write_text(json.dumps([outcome.case.name for outcome in bad]), encoding="utf-8")
    for outcome in bad:
        print(f"\n--- {outcome.case.name}: {outcome.outcome}: {outcome.detail}\n{outcome.text}")
    print(report.summary(outcomes, seconds))
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
