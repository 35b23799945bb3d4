#!/usr/bin/env python3
"""Builds the benchmarks and prints them as tables, redress beside its peers:

calls   instructions of a call under callgrind, nanoseconds, heap allocations
sizes   bytes of every state, on 64 and on 32 bits
flash   bytes of code, rodata and data of firmware images over an empty one
prices  bytes that each option adds to an image with retry alone
inlining  what becomes of a call and of an image without each rule of core/src/inlining.rs

Instructions, bytes and allocations repeat exactly. Nanoseconds are the fastest of a
few rounds on a machine that may be busy: to look at, not to compare releases by.
Needs valgrind and the toolchain of rust-toolchain.toml. Exits with 1 if something
could not be built or run, or if an image of redress holds a routine that must not be
in it (float, division, formatting, panic).
"""

import argparse
import concurrent.futures
import datetime
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
IMAGES = HERE / "images"
CALLS = 1000

PEERS = ["backon", "tower", "failsafe", "recloser", "reliakit-retry", "reliakit-circuit",
         "tokio-retry"]

# Scenario of a call: its title, and the most instructions that redress may take.
SCENARIOS = {
    "success": ("success at the first attempt, retry only", 26),
    "guarded": ("success, closed breaker and budget", 55),
    "three": ("three failures, then success, zero delays", 300),
    "reject": ("rejection by an open breaker", 16),
    "withdraw": ("withdrawal from a budget", None),
    "tokio": ("on tokio, an operation that is ready", None),
    "upstream": ("on tokio, all that calls share", None),
}

# How a scenario is called where there is little room.
SHORT = {"success": "success", "three": "three failures", "reject": "rejection"}

# State: the most bytes that it may take on 32 bits.
SIZE_GOALS = {"Breaker<FailureTimes<5>>": 64, "Breaker<LastOutcomes<4>>": 56}

TARGETS = {"M4F": "thumbv7em-none-eabihf", "M0+": "thumbv6m-none-eabi"}
PROFILES = {"s": "release", "z": "z"}

# Group, image, what it is, and the most bytes at opt-level s on M4F and on M0+.
FLASH = [
    ("retry, exponential", "redress_retry", "", (400, 800)),
    ("retry, exponential", "backon_retry", "", None),
    ("retry, exponential", "reliakit_retry", "", None),
    ("retry, jitter", "backon_jitter", "", None),
    ("breaker", "redress_breaker", "5 failures in a window, generation, lease", (300, 400)),
    ("breaker", "redress_breaker_shared", "the same, settings behind a reference", None),
    ("breaker", "redress_breaker_growth", "and a recovery time that grows", None),
    ("breaker", "redress_breaker_permits", "and 3 probes, 2 successes to close", None),
    ("breaker", "redress_breaker_class", "and a threshold for one class", None),
    ("breaker", "redress_breaker_rate", "rate over 100 outcomes", None),
    ("breaker", "redress_breaker_slices", "rate and slow calls over time", None),
    ("breaker", "reliakit_breaker", "CircuitBreaker, no window, no lease", None),
    ("breaker", "reliakit_rolling", "RollingBreaker<16>, no time, no lease", None),
    ("full policy", "redress_full", "classes, jitter, breaker, budget, deadline", (2400, 3000)),
    ("full policy", "redress_full_twice", "and a second operation", None),
    ("full policy", "redress_full_thrice", "and a third operation", None),
    ("full policy", "reliakit_full", "retry, jitter, RollingBreaker<16>", None),
]

# Features of the image `price`, and what they stand for.
OPTIONS = {
    "deadline": "a deadline",
    "attempt_timeout": "an attempt timeout (blocking: told to the attempt, and judged)",
    "class_strategy": "a strategy for one class",
    "class_limit": "a limit for one class",
    "exponential": "exponential backoff, in place of a constant",
    "exponential_by": "exponential by 1.5",
    "fibonacci": "fibonacci",
    "sequence": "a sequence",
    "full_jitter": "full jitter",
    "equal_jitter": "equal jitter",
    "decorrelated_jitter": "decorrelated jitter",
    "token_backoff": "token backoff",
    "retry_after_or": "Retry-After, or a constant",
    "adaptive": "adaptive, memory of 16",
    "breaker_failures": "a breaker: 5 failures in a window",
    "breaker_rate": "a breaker: rate over 100 outcomes",
    "breaker_slices": "a breaker: rate and slow calls over time",
    "rolling_budget": "a rolling budget of 16",
    "ratio_budget": "a ratio budget",
    "long_delay_cut": "a deadline that cuts a delay which does not fit, in place of stopping",
    "retriable": "one final class that may be retried once",
    "half_open_on": "a breaker of 5 failures: classes that open it again",
    "recovery_jitter": "a breaker of 5 failures: jitter on the recovery time",
    "check_before_retry": "a breaker of 5 failures: asked again before each retry",
    "open_for_hint": "a breaker of 5 failures, Retry-After: open for a hint",
    "before_retry": "a hook before each retry",
    "limiter": "a rate limiter: 3 an hour and 8 a day",
    "session": "a session in place of a call",
    "abort_if": "an abort predicate",
    "observer": "an observer of events",
    "timeline": "a timeline of 8",
}

# Rules of core/src/inlining.rs by the function that they are about: the file, what precedes
# the function, and what to put there instead.
ALWAYS, NEVER = "#[inline(always)]", "inline(never)"
WIDE = '#[cfg_attr(target_pointer_width = "64", '
NARROW = '#[cfg_attr(not(target_pointer_width = "64"), '
RULES = {
    "begin": ("driver/steps/mod.rs", f"{ALWAYS}\n    pub(crate) fn begin(", "pub(crate) fn begin("),
    "settle_success": ("driver/steps/mod.rs",
                       f"{ALWAYS}\n    pub(crate) fn settle_",
                       "pub(crate) fn settle_"),
    "decide of the steps": ("driver/steps/mod.rs",
                            f"{WIDE}inline(always))]\n    {NARROW}inline)]\n    pub(crate) fn decide",
                            "pub(crate) fn decide"),
    "settle": ("driver/steps/mod.rs", f"{WIDE}inline)]\n    {NARROW}{NEVER})]", "#[inline]"),
    "decide of the call": ("call.rs", f"{WIDE}inline(always))]", ""),
    "delay": ("policy.rs", f"{ALWAYS}\n    pub(crate) fn delay", "pub(crate) fn delay"),
    "strategies": ("backoff/rules.rs", ALWAYS, ""),
    "attempts_until_end": ("driver/blocking.rs", ALWAYS, ""),
    "run_loop": ("driver/blocking.rs", f"{WIDE}cold, {NEVER})]", ""),
    "probe": ("breaker/mod.rs", f"{WIDE}cold, {NEVER})]", ""),
    "turn": ("breaker/mod.rs", f"{NARROW}{NEVER})]", ""),
    "FAST_PATH": ("inlining.rs", 'cfg!(target_pointer_width = "64")', "false"),
}

FORBIDDEN = re.compile(r"__aeabi_(f|d|[ul]*i?div)|divmod|u?divdi3|core::fmt|_fmt\b|panic")


class Failed(Exception):
    """A command that did not do its work; the message says which and why."""


failures = []


def run(*words, cwd=HERE):
    words = [str(word) for word in words]
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Failed(f"{words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout, done.stderr


def attempt(task, *arguments):
    """The task's result, or None after noting why there is none."""
    try:
        return task(*arguments)
    except Failed as failure:
        failures.append(str(failure))
        return None


def table(*columns):
    """Prints the head of a table; a column that starts with > is aligned right."""
    print("| " + " | ".join(column.lstrip(">") for column in columns) + " |")
    print("| " + " | ".join("---:" if c.startswith(">") else "---" for c in columns) + " |")


def row(*cells):
    # Type parameters would be read as HTML.
    shown = ["" if cell is None else re.sub(r"\w+<.*>", r"`\g<0>`", str(cell)) for cell in cells]
    print("| " + " | ".join(shown) + " |", flush=True)


def build_host(target):
    """The benchmark with policies that the compiler does not know, and with such as
    it knows."""
    binaries = []
    for name, features in (("opaque", []), ("const", ["--features", "const-policy"])):
        run("cargo", "build", "--release", "--locked", "--package", "bench-host",
            "--target-dir", target, *features)
        binary = target / f"bench-host-{name}"
        shutil.copy2(target / "release/bench-host", binary)
        binaries.append(binary)
    return binaries


def instructions(binary, number, symbol):
    _, log = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                 f"--toggle-collect={symbol}", binary, "calls", number, CALLS)
    collected = re.search(r"Collected : (\d+)", log)
    if not collected or int(collected.group(1)) == 0:
        raise Failed(f"callgrind saw no call of {symbol} in {binary}")
    return round(int(collected.group(1)) / CALLS)


def calls(opaque, const):
    cases = [line.split("\t") for line in run(opaque, "list")[0].splitlines()]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = {
            (binary, number): pool.submit(attempt, instructions, binary, number, symbol)
            for number, (_, _, _, symbol) in enumerate(cases)
            for binary in (opaque, const)
        }
    print("Instructions of a call under callgrind, in the first column with a policy that the")
    print("compiler knows (a `const`), in the second with one that it does not.\n")
    table("call", "library", "what takes part", ">const policy", ">opaque policy", ">goal",
          ">ns (opaque)", ">allocations")
    for scenario, (title, goal) in SCENARIOS.items():
        first = True
        for number, (of, library, what, _) in enumerate(cases):
            if of != scenario:
                continue
            nanos = attempt(run, opaque, "time", number)
            heap = attempt(run, opaque, "heap", number)
            row(title if first else "", library, what, counted[const, number].result(),
                counted[opaque, number].result(), goal if first else "",
                nanos and nanos[0].strip(), heap and heap[0].strip())
            first = False
    print()


def tool(name):
    libraries = pathlib.Path(run("rustc", "--print", "target-libdir")[0].strip())
    return libraries.parent / "bin" / name


def build_images(target, profile, triple):
    run("cargo", "build", "--profile", profile, "--locked", "--target", triple,
        "--target-dir", target / "images", cwd=IMAGES)
    return target / "images" / triple / profile


def sizes(opaque, target):
    built = attempt(build_images, target, PROFILES["s"], TARGETS["M4F"])
    small = {}
    if built:
        symbols, _ = run(tool("llvm-nm"), "-S", built / "sizes")
        for size, name in re.findall(r"^\w+ (\w+) \w size/(.+)$", symbols, re.M):
            small[name] = int(size, 16)
    print("Bytes of a state; where it allocates, of its type + on the heap.\n")
    table("state", "library", "type", ">64 bits", ">32 bits", ">goal, 32 bits")
    last = None
    for line in run(opaque, "sizes")[0].splitlines():
        kind, library, name, inside, heap = line.split("\t")
        wide = inside if heap == "0" else f"{inside} + {heap}"
        row(kind if kind != last else "", library, name, wide, small.get(f"{library}/{name}"),
            SIZE_GOALS.get(name))
        last = kind
    print()


def flash_of(image):
    sections, _ = run(tool("llvm-size"), "-A", image)
    counted = re.findall(r"^\.(?:text|rodata|data|ARM\.ex\w+)\S*\s+(\d+)", sections, re.M)
    return sum(map(int, counted))


def flash(target):
    places = {
        (level, name): attempt(build_images, target, profile, triple)
        for level, profile in PROFILES.items()
        for name, triple in TARGETS.items()
    }
    empty = {place: attempt(flash_of, built / "empty") for place, built in places.items() if built}
    print("Bytes of flash: code, rodata and data over an empty image, fat LTO.\n")
    table("image", "library", "what is in it", *(f">{level}, {name}" for level, name in places),
          ">goal, s: M4F / M0+")
    last = None
    for group, image, what, goal in FLASH:
        cells = []
        for place, built in places.items():
            size = built and attempt(flash_of, built / image)
            cells.append(size - empty[place] if size and empty.get(place) else None)
        row(group if group != last else "", image.split("_")[0], what or group, *cells,
            goal and f"{goal[0]} / {goal[1]}")
        last = group
    print()
    unwanted = []
    for (level, name), built in places.items():
        for _, image, _, _ in FLASH:
            if built and image.startswith("redress"):
                symbols, _ = run(tool("llvm-nm"), "-C", built / image)
                unwanted += [f"{image}, {level}, {name}: {line.split(maxsplit=2)[-1]}"
                             for line in symbols.splitlines() if FORBIDDEN.search(line)]
    if unwanted:
        failures.append("routines that must not be in an image:\n" + "\n".join(unwanted))
    elif all(places.values()):
        print("No routine for floats, division, formatting or panics is in an image of redress.\n")


def prices(target):
    print("Bytes of flash at opt-level s that an option adds to retry at a constant delay, alone.\n")
    table("option", *(f">{name}" for name in TARGETS))
    sizes = {}
    for name, triple in TARGETS.items():
        for option in ["", *OPTIONS]:
            run("cargo", "build", "--release", "--locked", "--target", triple, "--bin", "price",
                "--features", option, "--target-dir", target / "images", cwd=IMAGES)
            sizes[name, option] = flash_of(target / "images" / triple / "release" / "price")
        run("cargo", "build", "--release", "--locked", "--target", triple, "--bin", "empty",
            "--target-dir", target / "images", cwd=IMAGES)
        sizes[name, None] = flash_of(target / "images" / triple / "release" / "empty")
    row("retry at a constant delay, classes, over an empty image",
        *(sizes[name, ""] - sizes[name, None] for name in TARGETS))
    for option, what in OPTIONS.items():
        row(what, *(f"{sizes[name, option] - sizes[name, '']:+}" for name in TARGETS))
    print()


def inlining(target):
    """Takes each rule away in a copy of the sources, and measures that."""
    root = HERE.parent.parent
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "redress"
        skipped = shutil.ignore_patterns("target", ".git", "node_modules", "dist")
        shutil.copytree(root, copy, ignore=skipped, symlinks=True)
        usual = without(copy, target)
        names = list(usual)
        print("Without each rule: instructions of a call (const / opaque policy), and bytes of an")
        print("image at opt-level s.\n")
        table("without", *(f">{name}" for name in names))
        row("nothing: all rules hold", *usual.values())
        for rule, (file, old, new) in RULES.items():
            path = copy / "core/src" / file
            text = path.read_text()
            if old not in text:
                raise Failed(f"core/src/{file} has nothing of the rule {rule}: {old}")
            path.write_text(text.replace(old, new))
            figures = without(copy, target)
            path.write_text(text)
            row(f"`{rule}`", *(f"{figures[name] - usual[name]:+}" for name in names))
    print()


def without(copy, target):
    """The figures of a copy of the sources."""
    bench, figures = copy / "tests/bench", {}
    for name, features in (("opaque", []), ("const", ["--features", "const-policy"])):
        run("cargo", "build", "--release", "--locked", "--package", "bench-host",
            "--target-dir", target / "inlining", *features, cwd=bench)
        binary = target / "inlining/release/bench-host"
        cases = [line.split("\t") for line in run(binary, "list")[0].splitlines()]
        seen = set()
        for number, (scenario, library, _, symbol) in enumerate(cases):
            if library == "redress" and scenario in SHORT and scenario not in seen:
                seen.add(scenario)
                figures[f"{SHORT[scenario]}, {name}"] = instructions(binary, number, symbol)
    for name, triple in TARGETS.items():
        images = ["empty", "redress_retry", "redress_full", "redress_full_twice"]
        run("cargo", "build", "--release", "--locked", "--target", triple, "--target-dir",
            target / "inlining/images", *(f"--bin={image}" for image in images),
            cwd=bench / "images")
        built = target / "inlining/images" / triple / "release"
        empty, *sizes = (flash_of(built / image) for image in images)
        for image, size in zip(("retry", "full", "twice"), sizes):
            figures[f"{image}, {name}"] = size - empty
    return figures


def versions():
    locked = {}
    for lock in (HERE / "Cargo.lock", IMAGES / "Cargo.lock"):
        for name, version in re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', lock.read_text()):
            if name in PEERS and locked.setdefault(name, version) != version:
                failures.append(f"{lock}: {name} {version}, but {locked[name]} on the host")
    return ", ".join(f"{name} {locked.get(name, 'missing')}" for name in PEERS)


def machine():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["calls", "sizes", "flash", "prices", "inlining", "all"],
                        default="all", help="which table (default: all)")
    parser.add_argument("--target-dir", type=pathlib.Path, help="where to build",
                        default=os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
    arguments = parser.parse_args()
    part, target = arguments.part, arguments.target_dir.resolve()

    rustc = attempt(run, "rustc", "--version")
    valgrind = attempt(run, "valgrind", "--version")
    if not rustc or not valgrind:
        sys.exit("error: " + "\nerror: ".join(failures))
    print(f"{datetime.date.today()}; {machine()}; {rustc[0].strip()}; {valgrind[0].strip()}; "
          f"{versions()}\n")
    if part in ("calls", "sizes", "all") and (binaries := attempt(build_host, target)):
        if part in ("calls", "all"):
            attempt(calls, *binaries)
        if part in ("sizes", "all"):
            attempt(sizes, binaries[0], target)
    if part in ("flash", "all"):
        attempt(flash, target)
    if part == "prices":
        attempt(prices, target)
    if part == "inlining":
        attempt(inlining, target)
    if failures:
        sys.exit("error: " + "\nerror: ".join(failures))


if __name__ == "__main__":
    main()
