"""An appliance to break: settings that can be changed one by one, tokens that go and come back, PINs that are counted."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile

from appliance import AGENT_UID, BROKER_UID, MODULE, Appliance, Connection, VarlinkError, address
from signer_client import SignerClient, sha256, tree_head

# Forwards every call to another module and writes it down; it has to go by another name, because under its own nobody gives it a PIN.
SPY = pathlib.Path("/usr/lib/x86_64-linux-gnu/pkcs11-spy.so")


class FaultAppliance(Appliance):
    """No cap on rates and open actions, unless a test sets one."""

    rate_cap = 1000000

    def setting(self, program, name, value):
        """Replaces a line of etc/PROGRAM.conf and gives the value that it had."""
        path = self.etc / f"{program}.conf"
        line = re.compile(rf"^{name} = (.*)$", re.MULTILINE)
        text = path.read_text()
        before = line.search(text).group(1)
        path.write_text(line.sub(lambda _: f"{name} = {value}", text, count=1))
        return before

    def begin(self):
        """Everything but the processes."""
        self.ceremony()
        self.settle()

    def start_listening(self):
        """What is not running of the two, whatever the state of the token."""
        if "signer" not in self.processes:
            self.start_signer()
        if "daemon" not in self.processes:
            self.start_daemon(wait=False)
            self.wait_for_socket(self.api, "daemon")

    def hang_up(self, name):
        self.processes[name].send_signal(signal.SIGHUP)

    # ---- a token that is not torn with its user ----

    def keep_token(self):
        """Remembers the appliance's token as it is."""
        self.kept = {path: path.read_bytes() for path in (self.appliance_home / "tokens").rglob("*") if path.is_file()}

    def mend_token(self):
        """
        SoftHSM writes its token's flags in place at each login, and a kill in that moment leaves an empty file and no token. A token that is hardware keeps
        them itself.
        """
        for path, content in self.kept.items():
            if path.read_bytes() != content:
                path.write_bytes(content)

    # ---- what the appliance says ----

    def signer(self):
        return self.status()["signer"]

    def ready(self, seconds=30):
        self.wait_until(lambda: self.signer()["ready"], "the appliance to be ready to seal", seconds)

    def trouble(self, code):
        """Waits until the status names this code and gives the signer's part of it."""
        self.wait_until(lambda: code in self.signer()["detail"] and not self.signer()["ready"], f"the status to say {code}")
        return self.signer()

    def health(self):
        with SignerClient(self.signer_socket, BROKER_UID) as client:
            return client.health()

    # ---- requests ----

    def denied(self):
        """A request that the gate refuses: no grant of this agent's covers it."""
        def change(request):
            request["proposed_action"]["requested_capability"] = "k8s.deployment.scale"
        return self.request("restart", change)


def scratch(prefix):
    """A directory that every user of a test may enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    path.chmod(0o755)
    return path


@contextlib.contextmanager
def world(prefix, appliance=FaultAppliance, **options):
    """An appliance after its ceremony; whatever runs of it at the end is stopped and its directory removed."""
    path = scratch(prefix)
    made = appliance(path, **options)
    try:
        made.begin()
        yield made
    finally:
        made.stop()
        shutil.rmtree(path)


class Spy:
    """SoftHSM through a module that writes each call down, to count how often a PIN is shown to the token."""

    def __init__(self, home, uid):
        self.module = home / "counting-module.so"
        shutil.copy(SPY, self.module)
        self.log = home / "calls"
        self.log.touch()
        for path in (self.module, self.log):
            os.chown(path, uid, uid)
        self.environment = {"PKCS11SPY": MODULE, "PKCS11SPY_OUTPUT": str(self.log)}

    def calls(self, name="C_Login"):
        return len(re.findall(rf"^\d+: {name}$", self.log.read_text(errors="replace"), re.MULTILINE))


# ---- the store, read as a stranger to the program reads it ----

class Store:
    """The daemon's database, while the daemon is not running."""

    def __init__(self, path):
        self.path = path

    def rows(self, query, *values):
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def leaves(self):
        """[(index, subject, statement, leaf hash)] in the order of the index."""
        return self.rows("SELECT idx, subject, statement, leaf FROM log ORDER BY idx")


__all__ = ["AGENT_UID", "Connection", "FaultAppliance", "SPY", "Spy", "Store", "VarlinkError", "address", "scratch", "sha256", "subprocess", "tree_head",
           "world"]
