"""Builds and runs the test suites, one after another, and adds up what they report.

A suite is a command whose output says how many tests it ran, in one of the forms that TALLIES
knows. A command that fails without saying so counts as one failed test, a build that fails as one
failed test of its own. Output is shown only for suites that fail (or with --verbose).
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
JOBS = str(os.cpu_count() or 2)
UNIT_SUITES = {"unit-config": "unit-config", "unit-datapath": "unit-datapath",
               "unit-control": "unit/control/unit-control", "two-workers": "two-workers",
               "unit-routing": "unit-routing", "unit-helpers": "unit-helpers",
               "unit-nat": "unit-nat", "unit-capture": "unit-capture", "unit-kernel": "unit/kernel/unit-kernel",
               "unit-service": "unit/service/unit-service",
               "unit-flow-export": "unit/flow_export/unit-flow-export",
               "scenarios": "scenarios", "classifier-property": "classifier-property"}
SUITE_ARGUMENTS = {"scenarios": [str(ROOT)]}
# The second compiler; precompiled headers halve what it takes. A missing #include is found by g++, without them.
# A quarter faster to compile than debugoptimized, and traces have their lines all the same.
CLANG = ["-Dtests=true", "-Dbuildtype=plain", "-Doptimization=1", "-Ddebug=false",
         "-Dcpp_args=-gline-tables-only", "-Db_pch=true"]
# -Dfuzz adds ASan and UBSan to everything, so that one build serves the unit suites and the fuzz targets.
CLANG_OPTIONS = {"build-clang": CLANG + ["-Dfuzz=true", "-Db_sanitize=none"],
                 "build-tsan": CLANG + ["-Db_sanitize=thread"]}
FUZZ_CORPORA = sorted((ROOT / "test/fuzz/corpus").iterdir())
FUZZ_TARGETS = {corpus: f"test/fuzz-{corpus.name.replace('_', '-')}" for corpus in FUZZ_CORPORA}


class Tally:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def own_line(match):
    return Tally(int(match[1]), int(match[2]), int(match[3] or 0))


def catch_passed(match):
    return Tally(passed=int(match[1]))


def catch_failed(match):
    total, failed = int(match[1]), int(match[2])
    return Tally(passed=total - failed, failed=failed)


def unittest_line(match):
    total, rest = int(match[1]), match[2]
    number = {word: int(n) for word, n in re.findall(r"(failures|errors|skipped)=(\d+)", rest)}
    failed = number.get("failures", 0) + number.get("errors", 0)
    skipped = number.get("skipped", 0)
    return Tally(total - failed - skipped, failed, skipped)


TALLIES = (
    (re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M), own_line),
    (re.compile(r"^All tests passed \(\d+ assertions? in (\d+) test cases?\)$", re.M), catch_passed),
    (re.compile(r"^test cases: *(\d+) \|.*?(\d+) failed", re.M), catch_failed),
    (re.compile(r"^Ran (\d+) tests? in .*\n\n(.*)$", re.M), unittest_line),
)


def tally_of(output, status):
    total, found = Tally(), False
    for pattern, count in TALLIES:
        for match in pattern.finditer(output):
            total, found = total + count(match), True
    if status != 0 and total.failed == 0:
        total.failed = 1
    if status == 0 and not found:
        total.passed = 1
    return total


class Runner:
    def __init__(self, verbose):
        self.total = Tally()
        self.verbose = verbose
        self.lock = threading.Lock()  # of the total and of the output

    def suite(self, name, command, env=None, timeout=900):
        started = time.monotonic()
        try:
            done = subprocess.run([str(word) for word in command], cwd=ROOT, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={**os.environ, **(env or {})}, timeout=timeout)
            output, status = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            output = (late.stdout or b"").decode(errors="replace") + f"\nstopped after {timeout} s"
            status = 124
        tally = tally_of(output, status)
        with self.lock:
            self.report(name, tally, time.monotonic() - started, output)
        return tally.failed == 0

    def report(self, name, tally, seconds, output):
        self.total += tally
        print(f"{name:<34} {tally}  ({seconds:.0f} s)", flush=True)
        for reason in re.findall(r"^.*(?:skipped|SKIP):? .*$", output, re.M)[:20]:
            if not re.fullmatch(r"\d+ passed.*", reason):
                print("    " + reason.strip(), flush=True)
        if tally.failed or self.verbose:
            print("\n".join("    | " + line for line in output.splitlines()[-200:]), flush=True)

    def skip(self, name, why):
        self.total += Tally(skipped=1)
        print(f"{name:<34} skipped: {why}", flush=True)

    def build(self, folder, options, compiler=None, targets=()):
        """Configures and builds all or the given targets; False when that failed. A folder that
        was configured otherwise, as scripts/build.sh does, gets the options of this run."""
        env = {"CCACHE_SLOPPINESS": "pch_defines,time_macros"}  # or ccache refuses precompiled headers
        if compiler:
            env["CXX"] = compiler
        path = ROOT / folder
        verb = "configure" if (path / "build.ninja").exists() else "setup"
        if not self.suite(f"configure {folder}", ["meson", verb, path, *options], env):
            return False
        return self.suite(f"build {folder}", ["ninja", "-C", path, "-j", JOBS, *targets], env, 3000)

    def build_clang(self, folder, targets=()):
        """A folder of CLANG_OPTIONS; what is built already takes no time."""
        return self.build(folder, CLANG_OPTIONS[folder], "clang++", targets)


def release(run, options):
    if not run.build("build", ["-Dtests=true", "-Db_pch=false"]):
        return
    for name, program in UNIT_SUITES.items():
        run.suite(name, [f"build/test/{program}", *SUITE_ARGUMENTS.get(name, ())])
    if run.build("build", ["-Dtests=true"], targets=["test/micro-bench"]):
        run.suite("microbenchmarks", ["build/test/micro-bench", "--benchmark_min_time=0.001",
                                      "--benchmark_filter=-.*/(1048576|10000)$"])
    if os.geteuid() != 0:
        run.suite("replay", ["/usr/bin/python3", "test/e2e/replay_test.py"])
        run.skip("end to end", "network namespaces need root")
        run.skip("packages", "network namespaces need root")
        run.skip("differential", "network namespaces need root")
        run.skip("imported rules", "network namespaces need root")
        run.skip("limits", "network namespaces need root")
        run.skip("answers of reject", "network namespaces need root")
        run.skip("lines of log", "network namespaces need root")
        run.skip("emulated NICs", "network namespaces need root")
        return
    run.suite("demo", ["/usr/bin/python3", "test/e2e/demo.py"])
    run.suite("demo without hugepages", ["/usr/bin/python3", "test/e2e/demo.py", "--no-huge"])
    run.suite("end to end", ["/usr/bin/python3", "-m", "unittest", "discover", "-v", "-s",
                             "test/e2e", "-p", "*_test.py"], timeout=1800)
    run.suite("packages", ["/usr/bin/python3", "-m", "unittest", "discover", "-v", "-s",
                           "test/package", "-p", "*_test.py"])
    run.suite("differential", ["/usr/bin/python3", "test/differential/run.py"])
    run.suite("translation", ["/usr/bin/python3", "test/differential/run_nat.py"])
    run.suite("imported rules", ["/usr/bin/python3", "test/differential/run_import.py"])
    run.suite("limits", ["/usr/bin/python3", "test/differential/run_limits.py"])
    run.suite("answers of reject", ["/usr/bin/python3", "test/differential/run_answers.py"])
    run.suite("lines of log", ["/usr/bin/python3", "test/differential/run_log_lines.py"])
    run.suite("emulated NICs", ["/usr/bin/python3", "-m", "unittest", "discover", "-v", "-s",
                                "test/vm", "-p", "*_test.py"], timeout=2400)


def checks(run, options):
    run.suite("layers", ["/usr/bin/python3", "scripts/check_layers.py"])
    run.suite("sizes", ["/usr/bin/python3", "scripts/check_sizes.py"])
    run.suite("format", ["scripts/format.sh", "--check"])
    run.suite("generated documents", ["scripts/gen-docs.sh", "--check"])
    run.suite("documents", ["/usr/bin/python3", "-m", "unittest", "discover", "-v", "-s",
                            "test/documents", "-p", "*_test.py"])


def sanitizers(run, options):
    """The second compiler and the first two sanitizers in one build, thread sanitizer in another."""
    asan = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
            "RAMPART_PROPERTY_PAIRS": "100000"}
    if run.build_clang("build-clang"):
        for name, program in UNIT_SUITES.items():
            run.suite(f"{name} (clang, ASan, UBSan)",
                      [f"build-clang/test/{program}", *SUITE_ARGUMENTS.get(name, ())], asan)
    tsan = {"TSAN_OPTIONS": f"halt_on_error=1:suppressions={ROOT}/test/tsan.supp"}
    if run.build_clang("build-tsan", ["test/two-workers"]):
        run.suite("two-workers (TSan)", ["build-tsan/test/two-workers"], tsan)


def fuzz(run, options):
    if not run.build_clang("build-clang", FUZZ_TARGETS.values()):
        return

    def play(corpus, target):
        fresh = ROOT / "build-clang/corpus" / corpus.name
        fresh.mkdir(parents=True, exist_ok=True)
        run.suite(f"fuzz {corpus.name}, {options.fuzz_seconds} s",
                  [ROOT / "build-clang" / target, f"-max_total_time={options.fuzz_seconds}", "-rss_limit_mb=4096",
                   "-timeout=10", f"-artifact_prefix={ROOT}/build-clang/", fresh, corpus],
                  {"ASAN_OPTIONS": "detect_leaks=0"})
    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        list(pool.map(play, FUZZ_TARGETS.keys(), FUZZ_TARGETS.values()))


STAGES = {"release": release, "checks": checks, "sanitizers": sanitizers, "fuzz": fuzz}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", choices=[[], *STAGES], help="default: all of them")
    parser.add_argument("--fuzz-seconds", type=int, default=20, help="for each fuzz target")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    run = Runner(options.verbose)
    for name in options.stages or STAGES:
        STAGES[name](run, options)
    print(run.total)
    return 1 if run.total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
