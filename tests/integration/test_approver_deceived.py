#!/usr/bin/python3
"""A broken broker that tries to deceive an approver: with good certificates and with none, with true pages of another action, with text that a terminal
would obey, and with silence. In every case nothing is asked, nothing is signed and nothing is sent back.

Needs root, exits 77 where it cannot run.
"""
import importlib.util
import os
import shutil
import sys
import tempfile
import unittest

from appliance import need_root_and_softhsm, run_cases, skip
from deceived_case import DeceivedCase, DeceivedWorld
from deceived_text import Forbidden, OtherDoors, Size, ThroughTheDaemon  # noqa: F401
from deceived_wire import AfterSigning, Errors, Garbage, Silence  # noqa: F401
from deceived_documents import AnotherAction, Brief, Certificate, ConsequenceMap, Control, Extracts, Gate, Pinned, Revoked, Shapes, Times  # noqa: F401


def main():
    reason = need_root_and_softhsm()
    if reason:
        skip(f"deceived approver: {reason}")
    if importlib.util.find_spec("cryptography") is None:
        skip("deceived approver: no python3-cryptography for this interpreter")
    os.umask(0o022)
    directory = tempfile.mkdtemp(prefix="deceived.")
    world = DeceivedWorld(directory)
    try:
        world.ceremony()
        world.settle()
        world.start()
        DeceivedCase.begin(world)
        Silence.begin()
        status = run_cases()
        if status == 1:
            print(world.log_of("daemon")[-4000:], world.log_of("signer")[-4000:])
        Silence.end()
    finally:
        world.stop()
        shutil.rmtree(directory)
    return status


if __name__ == "__main__":
    sys.exit(main())
