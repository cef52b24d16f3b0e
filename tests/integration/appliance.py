"""A whole appliance for tests and the demo: throwaway SoftHSM tokens, a ceremony, real daemon and signer under users of their own.

Everything lives below one directory and every process is stopped by its id. Needs root, because the parts must not share a user.
"""
import atexit
import contextlib
import copy
import datetime
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CS_BUILD", "build"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
BIN = BUILD / "bin"
TOOLS = BUILD / "tests" / "tools"
FIXTURE = ROOT / "tests" / "fixture"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
ORIGIN = "acme.example/countersign"
APPLIANCE = "kye:ent:acme.countersign-1"
AGENT = "kye:agent:acme.sre-autoheal"

# Numeric users without a name: nothing on the machine has to be changed for them.
SIGNER_UID, BROKER_UID, AGENT_UID, OTHER_AGENT_UID, OPERATOR_UID, STRANGER_UID = range(64801, 64807)
FIRST_PERSON_UID = 64820


def need_root_and_softhsm():
    """The reason why this machine cannot run the appliance, or None."""
    if os.geteuid() != 0:
        return "the parts run under users of their own, and only root can start them"
    if not pathlib.Path(MODULE).exists():
        return f"no {MODULE}"
    return None


def now(offset=0):
    """RFC 3339 time, `offset` seconds from now."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def canonical(document):
    """Canonical form; enough for documents whose numbers are integers and whose keys are ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def address(document):
    bare = {key: value for key, value in document.items() if key not in ("signature", "signatures")}
    return "sha256:" + hashlib.sha256(canonical(bare)).hexdigest()


_copies = {}


def reachable(program):
    """A path of this program that every user can run: a checkout may lie in a home directory that others cannot enter."""
    program = pathlib.Path(program)
    if all(parent.stat().st_mode & 0o001 for parent in program.parents):
        return str(program)
    if program not in _copies:
        place = pathlib.Path(tempfile.mkdtemp(prefix="countersign-bin."))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        place.chmod(0o755)
        _copies[program] = str(place / program.name)
        shutil.copy(program, place)
    return _copies[program]


class CommandFailed(Exception):
    pass


class Result:
    """What a finished command said."""

    def __init__(self, status, output, error=""):
        self.status, self.output, self.error = status, output, error

    @property
    def code(self):
        """Name of the error on standard error, "" when there was none."""
        match = re.search(r"error: ([a-z0-9_]+)", self.error + self.output)
        return match.group(1) if match else ""

    def json(self):
        return json.loads(self.output)

    def __repr__(self):
        return f"exit {self.status}\n{self.output}\n{self.error}"


class Person:
    """Somebody with a token: a SoftHSM directory of the person's own and a key in it."""

    def __init__(self, name, uid, home, algorithm):
        self.name, self.uid, self.home, self.algorithm = name, uid, home, algorithm
        self.id = f"kye:person:acme.{name}"
        self.kid = f"kye:key:acme.{name}.01"
        self.label = f"{name}-key"
        self.pin = f"pin-of-{name}"
        self.environment = softhsm_environment(home)
        self.token = None

    @property
    def pin_file(self):
        return self.home / "pin"

    @property
    def config(self):
        return self.home / "approver.json"


def softhsm_environment(home):
    return {"PATH": os.environ["PATH"], "SOFTHSM2_CONF": str(home / "softhsm2.conf"), "HOME": str(home), "LANG": "C.UTF-8",
            **{key: value for key, value in os.environ.items() if key.startswith(("ASAN_", "UBSAN_", "CS_RULES"))}}


def make_softhsm(home, pin, so_pin="security-officer-pin"):
    tokens = home / "tokens"
    tokens.mkdir(parents=True)
    (home / "softhsm2.conf").write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    for name, text in (("pin", pin), ("so-pin", so_pin)):
        (home / name).write_text(text + "\n")
        (home / name).chmod(0o600)


def own(path, uid, mode=None):
    """Gives a tree to a user."""
    for entry in [path, *path.rglob("*")]:
        os.chown(entry, uid, uid)
    if mode is not None:
        path.chmod(mode)


class Appliance:
    """The world of tests/fixture/plan-*.json on real tokens.

    people_algorithm, seal_algorithm: "ed25519", "p256" or "p384". `trust` and `policy` may be functions that change the plan before the ceremony.
    """

    rate_cap = None     # requests a minute that the purpose grant allows; None is the fixture's few

    def __init__(self, directory, people_algorithm="ed25519", seal_algorithm="ed25519", trust=None, policy=None, build=BUILD):
        self.directory = pathlib.Path(directory)
        self.binaries = build / "bin"
        self.signer_binary = self.binaries / "countersign-signer"
        self.signer_environment = {}
        self.people_algorithm, self.seal_algorithm = people_algorithm, seal_algorithm
        self.change_trust, self.change_policy = trust, policy
        self.people, self.processes = {}, {}
        self.etc, self.run, self.var = (self.directory / name for name in ("etc", "run", "var"))
        self.api = self.run / "api" / "api.sock"
        self.signer_socket = self.run / "signer" / "main.sock"
        self.trust_directory, self.policy_directory = self.etc / "trust", self.etc / "policy"
        self.jwks_file = self.etc / "jwks.json"

    # ---- commands ----

    def command(self, program, *arguments, user=None, environment=None, check=False, timeout=60, text=None):
        environment = environment or softhsm_environment(self.directory)
        identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        done = subprocess.run([reachable(self.binaries / program), *map(str, arguments)], env=environment, capture_output=True, text=True,
                              timeout=timeout, input=text, stdin=None if text is not None else subprocess.DEVNULL, **identity)
        result = Result(done.returncode, done.stdout, done.stderr)
        if check and result.status != 0:
            raise CommandFailed(f"{program} {' '.join(map(str, arguments))}: {result}")
        return result

    def provision(self, *arguments, environment=None, check=True):
        return self.command("countersign-provision", *arguments, environment=environment, check=check)

    def countersign(self, *arguments, user=None, environment=None, check=False, timeout=60):
        return self.command("countersign", *arguments, user=user, environment=environment, check=check, timeout=timeout)

    # ---- ceremony ----

    def token_options(self, home, token, pin_file=None):
        return ["--module", MODULE, "--token", token["uri"], "--pin-file", pin_file or home / "pin"]

    def new_person(self, name, algorithm=None, on_token_of=None):
        """A person with a key, on a token of the person's own or on somebody else's."""
        home = self.directory / "people" / (on_token_of or name)
        person = Person(name, FIRST_PERSON_UID + len(self.people), home, algorithm or self.people_algorithm)
        if on_token_of is None:
            make_softhsm(home, person.pin)
            person.token = self.provision("token", "init", "--module", MODULE, "--label", name, "--so-pin-file", home / "so-pin", "--pin-file",
                                          home / "pin", "--json", environment=person.environment).json()
        else:
            owner = self.people[on_token_of]
            person.token, person.pin = owner.token, owner.pin
        self.generate(person, person.label)
        self.people[name] = person
        return person

    def generate(self, person, label, algorithm=None):
        return self.provision("key", "generate", *self.token_options(person.home, person.token), "--label", label, "--type",
                              algorithm or person.algorithm, "--json", environment=person.environment).json()

    def enrol(self, plan, person, previous=None):
        extra = ["--previous", previous] if previous else []
        self.provision("enrol", "--plan", plan, *self.token_options(person.home, person.token), "--label", person.label, "--kid", person.kid,
                       "--person", person.id, *extra, environment=person.environment)

    def sign(self, document, name, previous=None, check=True, kid=None, label=None):
        """The person signs a copy at the own desk, as the user to whom token and PIN belong."""
        person = self.people[name]
        extra = ["--previous", previous] if previous else []
        owner = person.home.stat().st_uid
        copied = person.home / "to-sign.json"
        shutil.copy(document, copied)
        os.chown(copied, owner, owner)
        result = self.command("countersign-provision", "sign", "--document", copied, "--as", person.id, "--kid", kid or person.kid,
                              *self.token_options(person.home, person.token), "--label", label or person.label, *extra,
                              user=owner, environment=person.environment, check=check)
        shutil.copyfile(copied, document)
        return result

    def signed_grant(self, plan, name):
        """A grant of tests/fixture signed by the SRE lead, valid from today."""
        grant = json.loads((FIXTURE / plan).read_text())
        grant.update(not_before=now(-86400), not_after=now(365 * 86400), issued_at=now())
        if self.rate_cap and "rate_cap" in grant.get("restrictions", {}):
            grant["restrictions"]["rate_cap"]["requests_per_minute"] = self.rate_cap
        source, signed = self.directory / f"{name}-plan.json", self.directory / f"{name}.json"
        source.write_text(json.dumps(grant))
        self.provision("grant", "draft", "--plan", source, "--out", signed)
        self.sign(signed, "lena")
        return json.loads(signed.read_text())

    def appliance_keys(self, plan):
        home = self.directory / "appliance-token"
        make_softhsm(home, "pin-of-the-appliance")
        environment = softhsm_environment(home)
        self.appliance_home, self.appliance_environment = home, environment
        self.appliance_token = self.provision("token", "init", "--module", MODULE, "--label", "countersign-1", "--so-pin-file", home / "so-pin",
                                              "--pin-file", home / "pin", "--json", environment=environment).json()
        for usage in ("seal", "checkpoint", "document"):
            self.provision("key", "generate", *self.token_options(home, self.appliance_token), "--label", usage, "--type", self.seal_algorithm,
                           environment=environment)
            self.provision("appliance-key", "--plan", plan, *self.token_options(home, self.appliance_token), "--label", usage, "--kid",
                           f"kye:key:acme.countersign-1.{usage}.01", "--entity", APPLIANCE, "--usage", usage, environment=environment)

    def trust_plan(self):
        plan = json.loads((FIXTURE / "plan-trust.json").read_text())
        for delegation in plan["delegations"]:
            delegation.update(valid_from=now(-86400), valid_until=now(365 * 86400))
        if self.change_trust:
            self.change_trust(plan)
        return plan

    def names(self, plan):
        return [person["id"].rsplit(".", 1)[1] for person in plan["persons"]]

    def on_token_of(self, name):
        """Whose token this person's key is on; a test may say otherwise."""
        return None

    def ceremony(self):
        """Genesis: tokens, enrolments, grants, trust set and policy with two signatures each, published keys."""
        for path in (self.etc, self.trust_directory, self.policy_directory, self.run, self.var):
            path.mkdir(parents=True, exist_ok=True)
        plan_file = self.directory / "trust-plan.json"
        plan = self.trust_plan()
        plan_file.write_text(json.dumps(plan))
        for name in self.names(plan):
            self.new_person(name, on_token_of=self.on_token_of(name))
            self.enrol(plan_file, self.people[name])
        self.appliance_keys(plan_file)
        plan = json.loads(plan_file.read_text())
        plan["grants"].append(self.signed_grant("grant-plan.json", "grant"))
        plan["purposes"].append(self.signed_grant("purpose-plan.json", "purpose"))
        plan_file.write_text(json.dumps(plan))
        self.add_trust_set(plan_file, ("sam", "lena"))
        policy = json.loads((FIXTURE / "plan-policy.json").read_text())
        policy["review"] = {"last": now(-86400), "next": now(180 * 86400)}
        if self.change_policy:
            self.change_policy(policy)
        policy_plan = self.directory / "policy-plan.json"
        policy_plan.write_text(json.dumps(policy))
        self.add_policy(policy_plan, ("lena", "cora"))
        self.publish()

    def newest(self, directory):
        files = sorted(directory.glob("*.json"))
        return files[-1] if files else None

    def draft(self, kind, plan, directory):
        previous = self.newest(directory)
        out = self.directory / f"{kind}-draft.json"
        extra = ["--previous", previous] if previous else []
        self.provision(kind, "draft", "--plan", plan, "--out", out, *extra)
        return out, previous

    def add_version(self, kind, plan, directory, signers):
        draft, previous = self.draft(kind, plan, directory)
        for name in signers:
            self.sign(draft, name, previous)
        number = json.loads(draft.read_text())["version"]
        target = directory / f"{number:06d}.json"
        shutil.copy(draft, target)
        target.chmod(0o644)
        return target

    def add_trust_set(self, plan, signers):
        return self.add_version("trust-set", plan, self.trust_directory, signers)

    def add_policy(self, plan, signers):
        return self.add_version("policy", plan, self.policy_directory, signers)

    @property
    def trust_genesis(self):
        return address(json.loads((self.trust_directory / "000001.json").read_text()))

    @property
    def policy_genesis(self):
        return address(json.loads((self.policy_directory / "000001.json").read_text()))

    def publish(self):
        self.provision("publish", "--trust-directory", self.trust_directory, "--genesis", self.trust_genesis, "--out", self.jwks_file)
        for name in ("sam", "lena"):
            self.sign(self.jwks_file, name)
        trust = [json.loads(path.read_text()) for path in sorted(self.trust_directory.glob("*.json"))]
        (self.etc / "trust.json").write_text(json.dumps(trust))

    # ---- settings and processes ----

    def role_lines(self):
        lines = [f"{AGENT_UID} = caller {AGENT}", f"{OTHER_AGENT_UID} = caller kye:agent:acme.canary-watch", f"{OPERATOR_UID} = operator"]
        return lines + [f"{person.uid} = approver {person.id}" for person in self.people.values()]

    def write_settings(self):
        trust = (f"[trust]\ntrust_directory = {self.trust_directory}\ntrust_genesis = {self.trust_genesis}\n"
                 f"policy_directory = {self.policy_directory}\npolicy_genesis = {self.policy_genesis}\n")
        roles = "\n".join(self.role_lines())
        (self.etc / "countersign.conf").write_text(
            f"[appliance]\norigin = {ORIGIN}\nsocket = {self.api}\nstate_directory = {self.var / 'broker'}\n{trust}"
            f"[signer]\nsocket = {self.signer_socket}\nuser = {SIGNER_UID}\ndeadline_seconds = 10\n"
            f"[limits]\nopen_actions_per_caller = 1000\nrequests_per_minute = 1000000\n[roles]\n{roles}\n")
        (self.etc / "signer.conf").write_text(
            f"[signer]\nsocket = {self.signer_socket}\nbroker = {BROKER_UID}\nstate_directory = {self.var / 'signer'}\norigin = {ORIGIN}\n"
            f"module = {MODULE}\ntoken = {self.appliance_token['uri']}\npin_file = {self.appliance_home / 'pin'}\nseal_label = seal\n"
            f"checkpoint_label = checkpoint\ndocument_label = document\n{trust}")
        for person in self.people.values():
            config = self.directory / "people" / person.name / "approver.json"
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_text(json.dumps({
                "person": person.id, "kid": person.kid, "module": MODULE, "token": person.token["uri"], "label": person.label,
                "trust_directory": str(self.trust_directory), "trust_genesis": self.trust_genesis,
                "policy_directory": str(self.policy_directory), "policy_genesis": self.policy_genesis, "origin": ORIGIN}))

    def settle(self):
        """Settings written and every directory given to the user who works in it."""
        self.write_settings()
        for name, uid in (("broker", BROKER_UID), ("signer", SIGNER_UID)):
            (self.var / name).mkdir(exist_ok=True)
            own(self.var / name, uid, 0o700)
        for name, uid in (("api", BROKER_UID), ("signer", SIGNER_UID)):
            (self.run / name).mkdir(exist_ok=True)
            own(self.run / name, uid, 0o755)
        own(self.appliance_home, SIGNER_UID, 0o700)
        for person in self.people.values():
            own(self.directory / "people" / person.name, person.uid, 0o700)
        for path in (self.directory, self.etc, self.trust_directory, self.policy_directory, self.run, self.var, self.directory / "people"):
            path.chmod(0o755)

    def spawn(self, name, uid, environment, *command):
        log = open(self.directory / f"{name}.log", "ab")
        process = subprocess.Popen([reachable(command[0]), *map(str, command[1:])], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   user=uid, group=uid, extra_groups=[], start_new_session=True)
        log.close()
        self.processes[name] = process
        return process

    def start_signer(self, wait=True):
        environment = {**self.appliance_environment, **self.signer_environment}
        with contextlib.suppress(FileNotFoundError):
            self.signer_socket.unlink()
        self.spawn("signer", SIGNER_UID, environment, self.signer_binary, "--settings", self.etc / "signer.conf")
        if wait:
            self.wait_for_socket(self.signer_socket, "signer")

    def start_daemon(self, wait=True):
        with contextlib.suppress(FileNotFoundError):
            self.api.unlink()
        self.spawn("daemon", BROKER_UID, softhsm_environment(self.directory), self.binaries / "countersignd", "--settings",
                   self.etc / "countersign.conf")
        if wait:
            self.wait_for_socket(self.api, "daemon")
            self.wait_until(lambda: self.status()["signer"]["ready"], "the daemon to be ready to seal")

    def start(self):
        self.start_signer()
        self.start_daemon()

    def log_of(self, name):
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def wait_until(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError, VarlinkError):
                if condition():
                    return
            if time.monotonic() > deadline:
                logs = "".join(f"--- {name}\n{self.log_of(name)[-3000:]}\n" for name in self.processes)
                raise TimeoutError(f"waited {seconds} s for {what}\n{logs}")
            time.sleep(0.02)

    def wait_for_socket(self, path, name):
        def answers():
            if self.processes[name].poll() is not None:
                raise CommandFailed(f"{name} ended with {self.processes[name].returncode}\n{self.log_of(name)[-3000:]}")
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
            return True
        self.wait_until(answers, f"{name} to listen")

    def stop_process(self, name, number=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process is None:
            return None
        process.send_signal(number)
        return process.wait(timeout=30)

    def stop(self):
        for name in list(self.processes):
            self.stop_process(name)

    # ---- the API, as any user ----

    def call(self, method, user, **parameters):
        with Connection(self.api, user) as connection:
            return connection.call(method, **parameters)

    def status(self):
        return self.call("Status", OPERATOR_UID)

    # ---- the main job's steps ----

    def request(self, name="rollback", change=None):
        """A request of tests/fixture with today's times."""
        request = json.loads((FIXTURE / f"request-{name}.json").read_text())
        request["purpose_request"]["requested_at"] = request["proposed_action"]["created_at"] = now(-60)
        for screen in request["due_diligence"]["screens"]:
            screen["at"] = now(-120)
        for measured in request["provenance"]["signals"]:
            measured["observed_at"] = now(-180)
        request["due_diligence"]["rollback_plan"]["tested_at"] = now(-7 * 86400)
        if change:
            change(request)
        return request

    def request_file(self, request, name="request"):
        path = self.directory / f"{name}.json"
        path.write_text(json.dumps(request))
        path.chmod(0o644)
        return path

    def propose(self, request=None, user=AGENT_UID, key=None):
        path = self.request_file(request or self.request())
        extra = ["--idempotency-key", key] if key else []
        return self.countersign("--socket", self.api, "propose", "--request", path, "--json", *extra, user=user)

    def approve(self, name, action, role=None, verb="approve", arguments=(), pin=None, config=None):
        """Runs the approver's command in a terminal of its own and answers its prompts."""
        person = self.people[name]
        extra = ["--role", role] if role else []
        config = config or self.directory / "people" / name / "approver.json"
        command = [str(self.binaries / "countersign"), "--socket", str(self.api), verb, action, "--config", str(config), *extra, *arguments]
        return self.in_terminal(command, person.uid, person.environment, pin or person.pin)

    def in_terminal(self, command, uid, environment, pin, timeout=30):
        steps = [(rb"Sign\? \[y/N\] ?$", b"y\n"), (rb"PIN[^\n]*: ?$", pin.encode() + b"\n")]

        def answer(screen):
            """Each prompt is answered once, whichever comes."""
            step = next((step for step in steps if re.search(step[0], screen)), None)
            if step:
                steps.remove(step)
            return step and step[1]
        status, screen = run_on_terminal([reachable(command[0]), *command[1:]], uid, environment, answer, timeout)
        return Result(status, screen.decode(errors="replace").replace("\r\n", "\n"))

    def wait_final(self, action, user=AGENT_UID):
        """Waits until nothing more happens to the action before somebody runs it, and gives its last state."""
        return self.call("Wait", user, id=action)["action"]

    def pack(self, action, user=AGENT_UID):
        return self.call("GetPack", user, id=action)["pack"]

    def verify(self, pack, *arguments, jwks=None):
        path = self.directory / "verify.json"
        path.write_bytes(canonical(pack) if isinstance(pack, dict) else pack)
        keys = arguments if "--trust" in arguments else ("--jwks", jwks or self.jwks_file, *arguments)
        return self.countersign("verify", *keys, "--json", path)


class VarlinkError(Exception):
    def __init__(self, name, parameters):
        super().__init__(f"{name}: {parameters}")
        self.name, self.parameters = name.rsplit(".", 1)[1], parameters
        self.code = parameters.get("code", "")


class Connection:
    """A Varlink client of a page, as a user of one's choice: the socket's credentials are those at the time of connecting."""

    def __init__(self, path, user=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.buffer = b""
        if user is not None:
            groups = os.getgroups()
            os.setgroups([])
            os.setegid(user)
            os.seteuid(user)
        try:
            self.socket.connect(str(path))
        finally:
            if user is not None:
                os.seteuid(0)
                os.setegid(0)
                os.setgroups(groups)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, more=False, **parameters):
        interface = "" if "." in method else "io.countersign.Appliance."
        message = {"method": interface + method, "parameters": parameters}
        if more:
            message["more"] = True
        self.socket.sendall(json.dumps(message).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the appliance closed the connection")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        answer = json.loads(text)
        if "error" in answer:
            raise VarlinkError(answer["error"], answer.get("parameters", {}))
        return answer["parameters"]

    def call(self, method, **parameters):
        self.send(method, **parameters)
        return self.receive()


def run_on_terminal(command, uid, environment, answer, timeout=60, typed_ahead=b""):
    """(status, everything it wrote) of a command on a terminal of its own; `answer(screen)` is what to type next, or None."""
    child, terminal = pty.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        os.execve(command[0], command, {**environment, "TERM": "xterm"})
    if typed_ahead:
        os.write(terminal, typed_ahead)
    screen, deadline = b"", time.monotonic() + timeout
    readable = select.poll()
    readable.register(terminal, select.POLLIN)
    while time.monotonic() < deadline:
        if not readable.poll(50):
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        screen += data
        typed = answer(screen)
        if typed:
            os.write(terminal, typed)
    else:
        os.kill(child, signal.SIGKILL)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), screen


def in_order(script):
    """Answers for run_on_terminal: each step of the script waits for its prompt and answers it once."""
    script = list(script)
    return lambda screen: script.pop(0)[1] if script and re.search(script[0][0], screen) else None


def changed(document, **members):
    """A deep copy with top-level members replaced."""
    result = copy.deepcopy(document)
    result.update(members)
    return result


def skip(reason):
    print(f"SKIP {reason}")
    sys.exit(77)


def run_cases():
    """Runs the cases of the program that is running, by name, so that tests/run.sh can list those left out. The status to exit with: 1 when one failed or
    there were none, 77 when all were skipped."""
    result = unittest.main(verbosity=2, exit=False).result
    skipped = {getattr(case, "test_case", case).id() for case, _ in result.skipped}
    if not result.wasSuccessful() or not (result.testsRun or skipped):
        return 1
    return 77 if skipped and len(skipped) >= result.testsRun else 0
