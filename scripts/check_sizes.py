"""Checks the size of source files: a file that needs scrolling to find its point is two files.

Limits in lines: .cc 400, .h 200. Exit status 1 names each file above its limit.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIMITS = ((".cc", 400), (".h", 200))


def main():
    problems = []
    for folder in ("lib", "app", "test"):
        for path in sorted((ROOT / folder).rglob("*")):
            for suffix, limit in LIMITS:
                if path.suffix == suffix:
                    lines = len(path.read_text().splitlines())
                    if lines > limit:
                        problems.append(f"{path.relative_to(ROOT)}: {lines} lines, limit {limit}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
