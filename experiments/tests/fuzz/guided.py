"""Coverage-guided fuzzing of one reader: inputs that reach new lines of ours are kept, and changed further.

    pip install atheris
    python -m fuzz.guided "graphs.read" --seconds 600 --kept kept    # a fault ends it, and is written into kept

The first byte of an input chooses a format of the reader; the mutations are libFuzzer's own.
"""

import argparse
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path


def main() -> None:
    """Fuzz until the time is over or a fault is found."""
    import atheris

    with atheris.instrument_imports(include=["sympe", "sympe_experiments"]):
        from fuzz.corpus import make_corpus
        from fuzz.readers import READERS, REFUSALS
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reader", choices=list(READERS))
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--kept", type=Path, default=Path("runs/reliability/guided"), help="inputs, and faults")
    options = parser.parse_args()
    reader, corpus = READERS[options.reader], make_corpus()
    options.kept.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(reader.files):
        (options.kept / f"{number}-{name}").write_bytes(bytes([number]) + corpus[name])
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:

        def read(content: bytes) -> None:
            if content:
                path = reader.path(Path(folder), reader.files[content[0] % len(reader.files)])
                path.write_bytes(content[1:])
                with suppress(*REFUSALS):
                    reader.read(path)

        limits = [f"-max_total_time={options.seconds}", "-timeout=10", "-rss_limit_mb=3072"]
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={options.kept}/fault-", str(options.kept)], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
