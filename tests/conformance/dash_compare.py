#!/usr/bin/python3
"""Runs the corpus's own comparer over its MPDs, well-formed and malformed, and prints what passed by
grade.  Exit status 0: every case is as expected, 1: not, 77: the corpus is absent.

usage: dash_compare.py PROGRAM SHARED_DATA
"""
import collections
import importlib.util
import json
import os
import sys

# Cases known to fail, each with the reason: {"docs/name.mpd": "why"}.  One that passes is a failure as
# well, so that the list stays true.
KNOWN = {}
TIMEOUT_S = 20


def load_comparer(folder):
    path = os.path.join(folder, "tools", "compare.py")
    spec = importlib.util.spec_from_file_location("compare", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases_of(folder, name, only):
    with open(os.path.join(folder, name, "cases.json"), encoding="utf8") as stream:
        return [case for case in json.load(stream)["cases"] if case["doc"].startswith(only)]


def main():
    program, data = sys.argv[1:3]
    folder = os.path.join(data, "manifests")
    if not os.path.isdir(os.path.join(folder, "dash")):
        print(f"SKIP: no corpus in {folder}")
        return 77
    compare = load_comparer(folder)
    total = collections.Counter()
    passed = collections.Counter()
    failed = False
    for name, only in (("dash", "docs/"), ("malformed", "dash/")):
        for case in cases_of(folder, name, only):
            grade = case.get("grade", name)
            command = [program, "dump", "--json"]
            differences = compare.run(command, case, os.path.join(folder, name), TIMEOUT_S)
            total[grade] += 1
            passed[grade] += not differences
            if bool(differences) == (case["doc"] in KNOWN):
                continue
            failed = True
            print(f"{case['doc']}: {'; '.join(differences[:3]) or 'passes, but is listed as known'}")
    for grade in sorted(total):
        print(f"{grade}: {passed[grade]} of {total[grade]}")
    return 1 if failed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
