"""An appliance whose broker is the test: tokens, ceremony and the signer alone, and people whose approvals it must see through."""
import copy
import json
import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "demo"))

from appliance import BROKER_UID, BUILD, MODULE, SIGNER_UID, Person, address, make_softhsm, now, own  # noqa: E402
from forgery import forge  # noqa: E402
from signer_client import SignerClient  # noqa: E402
from world import DemoAppliance, add_class, add_people, person, role  # noqa: E402

TEETH = BUILD / "teeth" / "bin" / "countersign-signer"
OTHER_ENTITY = "kye:agent:acme.other-hand"


def more_people(plan):
    """Ida is suspended, Olga's role has ended, and a second agent works for Eve."""
    add_people(plan)
    plan["persons"].append({**person("ida", "Ida Berg", "d", role("engineer")), "state": "suspended"})
    plan["persons"].append(person("olga", "Olga Rossi", "e", {**role("engineer"), "until": "2026-02-01T00:00:00Z"}))
    other = copy.deepcopy(plan["agents"][0])
    other.update(id=OTHER_ENTITY, name="Another agent", principal="kye:person:acme.eve", unix_users=["other-hand"])
    plan["agents"].append(other)


class BrokenWorld(DemoAppliance):
    """People of the demo and more; policy and trust set both in their second version; nobody but the signer is started."""

    def __init__(self, directory, **options):
        super().__init__(directory, **options)
        self.change_trust, self.change_policy = more_people, add_class
        self.spares = {}

    def ceremony(self):
        super().ceremony()
        self.add_spare_token("tom")
        self.publish()

    def add_spare_token(self, name):
        """A second token with a second enrolled key for a person: version 3 of the trust set."""
        home = self.directory / "people" / f"{name}-spare"
        spare = Person(name, self.people[name].uid, home, self.people_algorithm)
        spare.kid, spare.label = f"kye:key:acme.{name}.02", f"{name}-second"
        make_softhsm(home, spare.pin)
        spare.token = self.provision("token", "init", "--module", MODULE, "--label", spare.label, "--so-pin-file", home / "so-pin",
                                     "--pin-file", home / "pin", "--json", environment=spare.environment).json()
        self.generate(spare, spare.label)
        plan = self.next_plan(self.trust_directory, lambda _: None)
        self.enrol(plan, spare, self.newest(self.trust_directory))
        self.add_trust_set(plan, ("sue", "cora"))
        self.spares[name] = spare

    # ---- versions ----

    def version(self, directory, number):
        return json.loads((directory / f"{number:06d}.json").read_text())

    @property
    def trust_set(self):
        return json.loads(self.newest(self.trust_directory).read_text())

    @property
    def policy(self):
        return json.loads(self.newest(self.policy_directory).read_text())

    def published(self):
        """Published keys by kid."""
        return {key["kid"]: key for key in json.loads(self.jwks_file.read_text())["keys"]}

    # ---- the signer ----

    def connect(self, uid=BROKER_UID):
        return SignerClient(self.signer_socket, uid)

    def kill_signer(self):
        self.stop_process("signer", signal.SIGKILL)

    def restart_signer(self, fresh=False, binary=None, rules_off="", **settings):
        """
        Another signer process. `fresh` gives it an empty state, which no broker can do; `settings` replaces lines of its settings file.
        """
        self.stop_process("signer")
        if fresh:
            state = self.var / "signer"
            shutil.rmtree(state)
            state.mkdir()
            own(state, SIGNER_UID, 0o700)
        self.write_settings()
        path = self.etc / "signer.conf"
        lines = [line for line in path.read_text().splitlines()]
        for name, value in settings.items():
            lines = [f"{name} = {value}" if line.startswith(f"{name} =") else line for line in lines]
        path.write_text("\n".join(lines) + "\n")
        self.signer_binary = binary or self.binaries / "countersign-signer"
        self.signer_environment = {"CS_RULES_OFF": rules_off} if rules_off else {}
        self.start_signer()

    def start_broker(self, binaries=None, rules_off=""):
        """A real daemon as the broker, from an empty store; the signer must have an empty state."""
        state = self.var / "broker"
        shutil.rmtree(state)
        state.mkdir()
        own(state, BROKER_UID, 0o700)
        kept, self.binaries = self.binaries, binaries or self.binaries
        os.environ.update({"CS_RULES_OFF": rules_off} if rules_off else {})
        try:
            self.start_daemon()
        finally:
            self.binaries = kept
            os.environ.pop("CS_RULES_OFF", None)

    # ---- versions that no honest tool makes ----

    def forged_version(self, name, signers, change=lambda plan: None, based_on=None):
        """A directory with the trust sets and one more, changed at will and signed by `signers` with their real keys."""
        directory = self.directory / "forged" / name
        shutil.copytree(self.trust_directory, directory)
        newest = based_on or self.trust_set
        following = {key: value for key, value in copy.deepcopy(newest).items() if key != "signatures"}
        following.update(version=newest["version"] + 1, previous=address(newest), issued_at=now())
        change(following)
        following["signatures"] = [forge(self.people[signer], following)["signature"] for signer in signers]
        (directory / f"{following['version']:06d}.json").write_text(json.dumps(following))
        return directory


def start_world(directory, **options):
    """A world after its ceremony, with its signer running."""
    path = pathlib.Path(directory)
    os.chmod(path, 0o755)
    world = BrokenWorld(path, **options)
    try:
        world.ceremony()
        world.settle()
        world.start_signer()
    except BaseException:
        world.stop()
        raise
    return world


__all__ = ["BrokenWorld", "OTHER_ENTITY", "TEETH", "address", "now", "start_world"]
