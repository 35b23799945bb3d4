#!/usr/bin/env python3
"""Builds the benchmarks and prints them as tables: instructions under callgrind,
nanoseconds and allocations of a call, sizes of states, and bytes of flash.

Instructions repeat exactly; nanoseconds are those of a noisy machine, to look at only.
Exits with 1 if something cannot be built or run.
"""

import argparse
import datetime
import pathlib
import platform
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CALLS = 1000
TARGETS = {"M4F": "thumbv7em-none-eabihf", "M0+": "thumbv6m-none-eabi"}
IMAGES = {
    "retry": "retry + exponential",
    "breaker": "breaker, 5 failures in a window",
    "full": "full policy: classify, jitter, breaker, ratio budget",
}


def run(*words, cwd=HERE):
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def instructions(binary, number, symbol):
    _, log = run(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        f"--toggle-collect={symbol}", binary, "calls", str(number), str(CALLS))
    collected = re.search(r"Collected : (\d+)", log)
    return int(collected.group(1)) / CALLS if collected else 0


def host():
    run("cargo", "build", "--release", "--locked")
    binary = HERE / "target/release/bench-host"
    cases = [line.split("\t") for line in run(binary, "list")[0].splitlines()]
    print("| scenario | library | what | settings | instructions | ns | allocations |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    order = ["success", "guarded", "three", "reject", "withdraw"]
    numbered = sorted(enumerate(cases), key=lambda case: order.index(case[1][0]))
    for number, (scenario, library, what, settings, symbol) in numbered:
        count = instructions(binary, number, symbol)
        nanos = run(binary, "time", str(number))[0].strip()
        heap = run(binary, "heap", str(number))[0].strip()
        shown = f"{count:.0f}" if count else "inlined"
        print(f"| {scenario} | {library} | {what} | {settings} | {shown} | {nanos} | {heap} |",
              flush=True)


def flash(tools, image, level, target):
    run("cargo", "build", "--release", "--locked", "--target", target, "--features", image,
        "--config", f"profile.release.opt-level='{level}'", cwd=HERE / "images")
    sections, _ = run(tools / "llvm-size", "-A",
                      HERE / "images/target" / target / "release/images")
    counted = re.findall(r"^\.(?:text|rodata|data)\S*\s+(\d+)", sections, re.M)
    return sum(map(int, counted))


def images():
    tools = pathlib.Path(run("rustc", "--print", "target-libdir")[0].strip()).parent / "bin"
    print("| image | " + " | ".join(f"{level}, {name}" for level in "sz" for name in TARGETS) + " |")
    print("| --- | --- | --- | --- | --- |")
    for image, what in IMAGES.items():
        row = []
        for level in "sz":
            for target in TARGETS.values():
                empty = flash(tools, "empty", level, target)
                row.append(str(flash(tools, image, level, target) - empty))
        print(f"| {what} | " + " | ".join(row) + " |", flush=True)


def machine():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def versions():
    lock = (HERE / "Cargo.lock").read_text()
    wanted = ("backon", "tower", "failsafe", "recloser", "reliakit-retry", "reliakit-circuit",
              "tokio-retry")
    found = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock))
    return ", ".join(f"{name} {found[name]}" for name in wanted)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["host", "flash", "all"], default="all")
    part = parser.parse_args().part
    rustc = run("rustc", "--version")[0].strip()
    print(f"{datetime.date.today()}, {rustc}, {machine()}; {versions()}\n")
    if part in ("host", "all"):
        host()
        print()
    if part in ("flash", "all"):
        print("Bytes of code, rodata and data over an empty image:\n")
        images()


if __name__ == "__main__":
    main()
