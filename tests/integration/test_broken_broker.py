#!/usr/bin/python3
"""The broker is assumed broken: here the test is the broker, and the signer must not be moved by anything that it says.

Only the signer runs, on a real (software) token; the people's signatures come from their own tokens. Needs root, exits 77 where it cannot run.
"""
import shutil
import sys
import tempfile
import unittest

from appliance import need_root_and_softhsm, run_cases, skip
from broken_case import BrokenCase
from broken_crash import Crash, EllipticCurve  # noqa: F401
from broken_quorum import Binding, Consumed, Control, Quorum, Signatures  # noqa: F401
from broken_statement import Classes, EveryClass, Evidence, Kinds, Place, Time, Versions  # noqa: F401
from broken_teeth import QuorumTeeth, SignerTeeth, TrustTeeth  # noqa: F401
from broken_verdict import Deceived, Resealed  # noqa: F401
from broken_wire import Callers, Certify, Frames, Hello  # noqa: F401
from broken_world import start_world

def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"broken broker: {reason}")
    directory = tempfile.mkdtemp(prefix="broken-broker.")
    try:
        # One ceremony for all cases; each leaves the log as its honest statements made it.
        BrokenCase.begin(start_world(directory))
        try:
            return run_cases()
        finally:
            BrokenCase.end()
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())
