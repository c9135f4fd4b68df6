#!/usr/bin/env python3
"""Compares what mp4_dump reads with the expected dumps of the MP4 corpus.

  mp4_compare.py DUMP DATA      DUMP: the program; DATA: the folder that holds manifests/

Compared: size, top-level boxes, sidx, every sample of every fragment (dts, duration, cts, size,
offset, sync), and of every track id, kind, timescale, duration, sample entry and the start of its
edit list. Left out, because the room does not read them: senc, emsg, prft, pssh, fragment sequence
numbers and the sample tables of files that are not fragmented. Malformed files must be refused with
a message, or, where the fault is in a part that is not read, be survived.

Exit status 77: the corpus is not there.
"""
import json
import os
import struct
import subprocess
import sys

# The fault is inside a box that the room passes over.
SURVIVED = {"mp4/own-emsg-str.mp4"}
KINDS = {"vide": "video", "soun": "audio", "text": "text", "subt": "text", "subp": "text"}
LEFT_OUT_OF_TRAF = ("base_time", "senc")


def run(dump, path, pad=0):
    args = [dump] + (["--pad", str(pad)] if pad else []) + [path]
    return subprocess.run(args, capture_output=True, timeout=60)


def movie_timescale(data):
    at = data.find(b"mvhd") + 4
    return struct.unpack_from(">I", data, at + (12 if data[at] == 0 else 20))[0]


def edit_start(track, data):
    """In media ticks, to the nearest, halves up."""
    delay = 0
    for edit in track.get("edits", []):
        if edit["media_time"] >= 0:
            return edit["media_time"] - delay
        scale = movie_timescale(data)
        delay += (2 * edit["duration"] * track["timescale"] + scale) // (2 * scale)
    return -delay


def expected_track(track, data):
    duration = track["duration"]
    out = {"id": track["id"], "type": KINDS.get(track["handler"], "other"),
           "timescale": track["timescale"], "sample_entry": track["sample_entry"],
           "edit_start": edit_start(track, data)}
    if b"mehd" not in data:  # a mehd is what counts in a fragmented file; the corpus has the mdhd
        out["duration"] = 0 if duration in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else duration
    return out


def expected_fragment(fragment):
    tracks = [{k: v for k, v in t.items() if k not in LEFT_OUT_OF_TRAF} for t in fragment["tracks"]]
    return {"offset": fragment["offset"], "tracks": tracks}


def differences(want, got, data):
    out = [f"{k}: expected {str(want[k])[:200]}, got {str(got.get(k))[:200]}"
           for k in ("size", "boxes") if want[k] != got.get(k)]
    if want.get("sidx", []) != got.get("sidx", []):
        out.append(f"sidx: expected {want.get('sidx')}, got {got.get('sidx')}")
    tracks = got.get("tracks", [])
    if len(tracks) != len(want.get("tracks", [])):
        out.append(f"{len(tracks)} tracks")
    for w, g in zip(want.get("tracks", []), tracks):
        for key, value in expected_track(w, data).items():
            if g[key] != value:
                out.append(f"track {w['id']} {key}: expected {value}, got {g[key]}")
    wanted = [expected_fragment(f) for f in want.get("fragments", [])]
    fragments = got.get("fragments", [])
    if len(wanted) != len(fragments):
        out.append(f"{len(fragments)} fragments, expected {len(wanted)}")
    for w, g in zip(wanted, fragments):
        if w == g:
            continue
        out.append(f"fragment at {w['offset']} differs")
        for wt, gt in zip(w["tracks"], g["tracks"]):
            pairs = zip(wt["samples"], gt["samples"])
            out += [f"  sample {i}: expected {a}, got {b}"
                    for i, (a, b) in enumerate(pairs) if a != b][:2]
            if len(wt["samples"]) != len(gt["samples"]):
                out.append(f"  {len(gt['samples'])} samples, expected {len(wt['samples'])}")
    return out


def end_of_samples(want):
    return max((s["offset"] + s["size"] for f in want.get("fragments", [])
                for t in f["tracks"] for s in t["samples"]), default=0)


def check_good(dump, folder, case):
    path = os.path.join(folder, case["doc"])
    with open(path, "rb") as stream:
        data = stream.read()
    with open(os.path.join(folder, case["expect"]), encoding="utf8") as stream:
        want = json.load(stream)
    # Some segments of the corpus were cut behind their moof.
    result = run(dump, path, max(0, end_of_samples(want) - len(data)))
    if result.returncode != 0:
        return [f"exit {result.returncode}: {result.stderr.decode('utf8', 'replace').strip()[:300]}"]
    return differences(want, json.loads(result.stdout), data)


def check_malformed(dump, folder, case):
    result = run(dump, os.path.join(folder, case["doc"]))
    if result.returncode == 0 and case["doc"] in SURVIVED:
        return []
    if result.returncode != 1 or not result.stderr.strip():
        return [f"exit {result.returncode}, though: {case['error']}"]
    if b"AddressSanitizer" in result.stderr or b"runtime error" in result.stderr:
        return ["sanitizer report"]
    return []


def main():
    dump, data = sys.argv[1], sys.argv[2]
    good = os.path.join(data, "manifests", "mp4")
    malformed = os.path.join(data, "manifests", "malformed")
    lists = [(good, "cases.json", check_good), (malformed, "cases-mp4.json", check_malformed)]
    passed = failed = 0
    for folder, name, check in lists:
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            print(f"SKIP: no corpus at {path} (see the CMake option CAD_SHARED_DATA)")
            return 77
        with open(path, encoding="utf8") as stream:
            cases = json.load(stream)["cases"]
        for case in cases:
            found = check(dump, folder, case)
            passed += not found
            failed += bool(found)
            if found:
                print(f"FAIL {case['doc']}")
                print("\n".join("     " + line for line in found[:5]))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
