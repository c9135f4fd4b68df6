#!/usr/bin/python3
"""Dumps every TTML document of the corpus and compares with the corpus's own comparer; prints what
passed by part.  Exit status 0: every document is as expected, 1: not, 77: the corpus is absent.

usage: ttml_compare.py PROGRAM SHARED_DATA
"""
import importlib.util
import json
import os
import subprocess
import sys

# Documents known to differ from their expected dump, each with the reason.  One that passes is a failure
# as well, so that the list stays true.
KNOWN = {
    "own/ttml/style-chain-1.ttml":
        "tts:textShadow: TTML2 has lengths in em and colours as rgba(0,0,0,200); the dump was made"
        " by a library that reads neither",
}
TIMEOUT_S = 20


def load_comparer(folder):
    path = os.path.join(folder, "tools", "isd_compare.py")
    spec = importlib.util.spec_from_file_location("isd_compare", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def differences(compare, program, folder, entry):
    try:
        done = subprocess.run([program, "dump", "--json", os.path.join(folder, entry["doc"])],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT_S)
        if done.returncode != 0:
            return [("exit status", 0, done.returncode)]
        actual = json.loads(done.stdout.decode("utf-8"))
    except (ValueError, subprocess.TimeoutExpired) as error:
        return [("output", "an object of JSON", str(error))]
    with open(os.path.join(folder, entry["isd"]), encoding="utf-8") as stream:
        return compare.compare(json.load(stream), actual)


def main():
    program, data = sys.argv[1:3]
    folder = os.path.join(data, "imsc")
    if not os.path.isfile(os.path.join(folder, "manifest.json")):
        print(f"SKIP: no corpus in {folder}")
        return 77
    compare = load_comparer(folder)
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as stream:
        documents = json.load(stream)["documents"]
    passed = {}
    total = {}
    wrong = False
    for entry in documents:
        part = entry["doc"].split("/ttml/")[0]
        found = differences(compare, program, folder, entry)
        total[part] = total.get(part, 0) + 1
        passed[part] = passed.get(part, 0) + (not found)
        if bool(found) == (entry["doc"] in KNOWN):
            continue
        wrong = True
        compare.show(entry["doc"], found, 4) if found else print(f"{entry['doc']}: passes, but is listed as known")
    for part in sorted(total):
        print(f"{part}: {passed[part]} of {total[part]}")
    for name, why in sorted(KNOWN.items()):
        print(f"known to differ: {name}: {why}")
    print(f"{sum(passed.values())} of {sum(total.values())} documents pass")
    return 1 if wrong or not total else 0


if __name__ == "__main__":
    sys.exit(main())
