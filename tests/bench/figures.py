#!/usr/bin/env python3
"""Writes the tables of FIGURES.md anew.

The page has blocks that begin with `<!-- prints: COMMAND -->` and end with `<!-- end -->`. Each command is run at the top of the
project, and what it prints takes the place of what is between. All of them take an hour on two cores.

    python3 tests/bench/figures.py             every block
    python3 tests/bench/figures.py flash       the blocks whose command has this word

Exits with 1 if a command fails; its block then stays as it is.
"""

import datetime
import pathlib
import re
import shlex
import subprocess
import sys

from run import machine

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "FIGURES.md"
BLOCK = re.compile(r"<!-- prints: (?P<command>.*?) -->\n.*?<!-- end -->", re.S)


def main():
    words = sys.argv[1:]
    if words[:1] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    failed = []

    def printed(block):
        command = block["command"]
        if not all(word in command for word in words):
            return block[0]
        print(command, flush=True)
        done = subprocess.run(shlex.split(command), cwd=HERE.parent.parent, stdout=subprocess.PIPE,
                              text=True, check=False)
        if done.returncode != 0:
            failed.append(command)
            return block[0]
        # Programs of the suite close with their counts.
        text = re.sub(r"\n\d+ passed, \d+ failed, \d+ skipped$", "", done.stdout.strip()).strip()
        if not re.match(r"\d{4}-\d\d-\d\d", text):
            text = f"{datetime.date.today()}; {machine()}\n\n{text}"
        return f"<!-- prints: {command} -->\n{text}\n<!-- end -->"

    PAGE.write_text(BLOCK.sub(printed, PAGE.read_text()))
    if failed:
        sys.exit("error: these failed:\n" + "\n".join(failed))


if __name__ == "__main__":
    main()
