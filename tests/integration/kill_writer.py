"""Somebody who keeps using an appliance that is being killed, and remembers whatever it was told."""
from appliance import AGENT_UID, Connection, VarlinkError, address, canonical
from forgery import Forger

APPROVERS = {"engineer": "ada", "change_owner": "carl"}
# A waiting action is taken up again for as long as it has open slots; more of them only make the test slower.
ROLLBACKS_MAX = 3


class Lost(AssertionError):
    """Something that was acknowledged is no longer so."""


class Writer:
    """One thread of calls. After an answer that did not come, it asks again under the same idempotency key, as a caller would."""

    def __init__(self, appliance, random):
        self.appliance, self.random = appliance, random
        self.forger = Forger(appliance)
        self.connection = None
        self.number = 0
        self.unanswered = {}    # idempotency key -> request
        self.keys = {}          # idempotency key -> action
        self.proposed = {}      # action -> address of its core
        self.promised = set()   # actions that were stored and said to go on by themselves
        self.sealed = {}        # action -> what its final view says
        self.packs = {}         # action -> canonical pack
        self.decided = {}       # decision that was stored -> action
        self.receipts = {}      # decision that was logged -> (action, index in the log)
        self.rollbacks = []     # actions that wait for people
        self.refusals = 0       # times that nothing was taken because something was down

    # ---- talking ----

    def drop(self):
        if self.connection:
            self.connection.socket.close()
        self.connection = None

    def connect(self):
        if self.connection is None:
            self.connection = Connection(self.appliance.api, AGENT_UID)
        return self.connection

    def call(self, method, **parameters):
        return self.connect().call(method, **parameters)

    def step(self):
        """One thing that a caller or approver may do. False when the appliance could not do it now."""
        doing = self.random.choices((self.restart, self.denial, self.rollback, self.approve, self.read, self.ask_again), (40, 20, 4, 12, 12, 12))[0]
        try:
            doing()
            return True
        except VarlinkError as error:
            if error.name not in ("SignerUnavailable", "WrongState"):
                raise
        except OSError:
            self.drop()
        self.refusals += 1
        return False

    # ---- proposing ----

    def restart(self):
        self.propose(self.appliance.request("restart"))

    def denial(self):
        self.propose(self.appliance.denied())

    def rollback(self):
        if len(self.rollbacks) < ROLLBACKS_MAX:
            self.propose(self.appliance.request("rollback"))

    @staticmethod
    def is_stored(error):
        """It could not be sealed yet, and goes on by itself."""
        return error.name == "SignerUnavailable" and error.parameters["path"].startswith("kye:action:")

    def propose(self, request, key=None):
        if key is None:
            self.number += 1
            key = f"request-{self.number}"
        connection = self.connect()
        self.unanswered[key] = request
        try:
            answer = connection.call("Propose", request=request, idempotency_key=key)
        except VarlinkError as error:
            # It was stored, or it was not: either way somebody said so.
            if error.name == "SignerUnavailable":
                del self.unanswered[key]
            if self.is_stored(error):
                self.promised.add(error.parameters["path"])
            raise
        del self.unanswered[key]
        self.took(key, answer)

    def took(self, key, answer):
        action = answer["id"]
        if self.keys.setdefault(key, action) != action:
            raise Lost(f"{key} was {self.keys[key]} and is now {action}")
        if self.proposed.setdefault(action, answer["action"]) != answer["action"]:
            raise Lost(f"{action} had the core {self.proposed[action]} and has now {answer['action']}")
        if answer["state"] == "awaiting_approval":
            self.rollbacks.append(action)
        else:
            self.see(action)

    def ask_again(self):
        """The same key and request: the first one if it was taken, a new one if not."""
        if self.unanswered:
            key = self.random.choice(sorted(self.unanswered))
            self.propose(self.unanswered[key], key)

    # ---- approving ----

    def approve(self):
        if not self.rollbacks:
            return
        action = self.random.choice(self.rollbacks)
        shown = self.call("Show", id=action)
        if shown["action"]["state"] != "awaiting_approval":
            self.rollbacks.remove(action)
            self.promised.add(action)
            return
        role = next(slot["role"] for slot in shown["action"]["slots"] if slot["approval"] is None)
        decision, snapshot = self.forger.signed(APPROVERS[role], action, role)
        try:
            receipt = self.forger.decide(APPROVERS[role], action, decision, snapshot)["receipt"]
        except VarlinkError as error:
            if self.is_stored(error):
                self.decided[address(decision)] = action
            raise
        if receipt["decision"] != address(decision):
            raise Lost(f"the receipt for {address(decision)} is for {receipt['decision']}")
        self.receipts[receipt["decision"]] = (action, receipt["statement"]["log"]["index"])

    # ---- reading ----

    def read(self):
        if self.sealed:
            self.see(self.random.choice(sorted(self.sealed)))

    def see(self, action):
        """An action that was said to be final: its view and its pack are what they were when they were first seen."""
        view = self.call("Show", id=action)["action"]
        pack = canonical(self.call("GetPack", id=action)["pack"])
        if not view["final"] or self.sealed.setdefault(action, view) != view:
            raise Lost(f"{action} was {self.sealed.get(action)} and is now {view}")
        if self.packs.setdefault(action, pack) != pack:
            raise Lost(f"the pack of {action} has changed")

    def see_some(self, count):
        for action in self.random.sample(sorted(self.sealed), min(count, len(self.sealed))):
            self.see(action)

    def see_everything(self):
        """With the appliance up and at rest."""
        for key in sorted(self.unanswered):
            self.propose(self.unanswered[key], key)
        for action in sorted(self.promised):
            if not self.call("Wait", id=action)["action"]["final"]:
                raise Lost(f"{action} was promised and is not final")
            self.see(action)
        for action in sorted(self.proposed):
            if self.call("Show", id=action)["action"]["action"] != self.proposed[action]:
                raise Lost(f"{action} has another core")
            if action not in self.rollbacks:
                self.see(action)
        for decision, action in [*self.decided.items(), *((decision, action) for decision, (action, _) in self.receipts.items())]:
            if decision not in [address(entry) for entry in self.call("Show", id=action)["decisions"]]:
                raise Lost(f"the decision {decision} about {action} is gone")
