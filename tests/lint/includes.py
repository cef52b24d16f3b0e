#!/usr/bin/python3
"""Checks the direction of includes and what each folder may link with.

Each folder lists the folders and libraries whose headers it may include; anything else fails with file and line.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBC = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "locale.h", "math.h", "stdarg.h", "stdbool.h", "stddef.h",
    "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h", "threads.h", "pthread.h", "endian.h",
}
CORE_LIBRARIES = {"jansson.h", "sodium.h", "openssl/", "pcre2.h"}
TOKEN_LIBRARIES = {"libp11.h", "p11-kit/"}
SYSTEM = {
    "sys/", "unistd.h", "fcntl.h", "poll.h", "signal.h", "termios.h", "time.h", "dirent.h", "pwd.h", "grp.h", "dlfcn.h", "getopt.h", "libgen.h",
    "sysexits.h", "netinet/", "arpa/", "linux/",
}
# folder: (folders it may include, libraries besides libc, whether the operating system's headers are allowed)
ALLOWED = {
    "include": (["include"], set(), False),
    "core": (["include", "core"], CORE_LIBRARIES, False),
    "common": (["include", "core", "common"], CORE_LIBRARIES | {"ini.h"}, True),
    "pkcs11": (["include", "core", "common", "pkcs11"], CORE_LIBRARIES | TOKEN_LIBRARIES, True),
    "appliance/daemon": (["include", "core", "common", "appliance"], CORE_LIBRARIES | {"systemd/", "sqlite3.h", "seccomp.h"}, True),
    "appliance/command": (["include", "core", "common", "pkcs11", "appliance"], CORE_LIBRARIES | TOKEN_LIBRARIES, True),
    "provisioning": (["include", "core", "common", "pkcs11", "provisioning"], CORE_LIBRARIES | TOKEN_LIBRARIES, True),
}


def listed(name, entries):
    return any(name == entry or (entry.endswith("/") and name.startswith(entry)) for entry in entries)


def resolves(name, source, folders):
    """Whether an include in quotes, or of <countersign/…>, is found in one of the folders."""
    if name.startswith("countersign/"):
        return (ROOT / "include" / name).exists()
    places = [source.parent] + [ROOT / folder for folder in folders] + [ROOT]
    for place in places:
        candidate = (place / name).resolve()
        if candidate.exists():
            return any(candidate.is_relative_to(ROOT / folder) for folder in folders)
    return False


def check(folder, rule):
    folders, libraries, system = rule
    for source in sorted((ROOT / folder).rglob("*.[ch]")):
        for number, line in enumerate(source.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            name = match.group(2)
            ours = match.group(1) == '"' or name.startswith("countersign/")
            good = resolves(name, source, folders) if ours else (
                listed(name, LIBC) or listed(name, libraries) or (system and listed(name, SYSTEM)))
            if not good:
                yield f"{source.relative_to(ROOT)}:{number}: {folder}/ may not include {name}"


def main():
    faults = [fault for folder, rule in ALLOWED.items() for fault in check(folder, rule)]
    print("\n".join(faults) if faults else "includes: every folder keeps its direction")
    return 1 if faults else 0


sys.exit(main())
