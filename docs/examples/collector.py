#!/usr/bin/env python3
"""A collector in one file: verifies what gateways publish, stores it, and only then acknowledges it.

  apt install python3-paho-mqtt python3-cryptography
  ./collector.py mqtt://127.0.0.1:1883 --id collector-a --trust example.org/gw-1=gateway.jwk.json --store entries.db

It prints one JSON object a line. With --observer it is a collector that no gateway waits for: it acknowledges nothing and
asks for what it lacks. It was written from the documents alone and shares no code with assayer.
"""
import argparse
import base64
import hashlib
import json
import queue
import re
import signal
import sqlite3
import sys
import time
import urllib.parse
import uuid

import paho.mqtt.client as mqtt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROFILE = "tag:assayer.example,2026:attestation/1"
MOST_BYTES = 32_768
MOST_HELD = 1_000  # messages above a gap, for each log
MOST_LOGS = 256  # of one gateway: whoever has its key can name any number
MOST_ASKED = 1_000  # entries in one request
BATCH = 500  # messages in one transaction
MOST_WAITING = 10_000  # messages that arrived; a fuller queue stops the reading of the connection
MOST_ALARMS = 10_000  # that are kept: whoever can publish can make them
ASK_AFTER_S, ASK_AGAIN_S = 2, 30
ACK_EVERY_S, ACK_IDLE_S, PRESENCE_S = 0.2, 60, 300


# ---- one message: steps 1 to 7


class Refused(Exception):
    """The message is kept out; the text is the code."""


def b64u(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def from_b64u(text: bytes) -> bytes:
    try:
        data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        raise Refused("E_ENVELOPE") from None
    if b64u(data) != text:  # unused bits that are not zero: another text for the same bytes
        raise Refused("E_ENVELOPE")
    return data


def parse(text: bytes):
    def integer(digits):
        if abs(int(digits)) >= 2**53:
            raise Refused("E_SCHEMA")
        return int(digits)

    def fraction(_number):
        raise Refused("E_SCHEMA")

    def constant(_name):  # NaN and Infinity, which Python takes
        raise ValueError

    try:
        return json.loads(text, parse_int=integer, parse_float=fraction, parse_constant=constant)
    except (ValueError, RecursionError):
        raise Refused("E_JSON") from None


def canonical(value) -> bytes:
    """RFC 8785. Where names are ASCII and numbers are integers, as here, sorting and compact separators are all of it."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:  # at most 8 deep are allowed
        raise Refused("E_SCHEMA") from None
    return text.encode("utf-8", "surrogatepass")


def thumbprint(jwk: dict) -> str:
    required = {name: jwk[name] for name in ("crv", "kty", "x")}
    return b64u(hashlib.sha256(canonical(required)).digest()).decode()


ENVELOPE = re.compile(rb',"jws":"([A-Za-z0-9_-]{1,512})\.\.([A-Za-z0-9_-]{86})"\}\Z')
LOG = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/([a-z0-9][a-z0-9-]{0,62})/(0|[1-9][0-9]{0,15})")
AHEAD_S = 86_400  # A log is named by the seconds at which it begins. One that is far ahead of them would be the newest for ever.


def verify(message: bytes, keys: dict, typ: str, gateway: str) -> dict:
    """The statement in a message that a trusted key signed for this purpose, about a log of its own."""
    if len(message) > MOST_BYTES:
        raise Refused("E_SIZE")
    try:
        message.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("E_ENCODING") from None
    if message[:1] != b"{":
        raise Refused("E_ENCODING")
    found = ENVELOPE.search(message, max(0, len(message) - 700))
    if found is None:
        raise Refused("E_ENVELOPE")
    header, value = found.groups()
    signature = from_b64u(value)
    # What is signed is cut out of the received bytes, never written anew.
    content = message[: found.start()] + b"}"
    scope, key = keys.get(kid_of(from_b64u(header), typ), (None, None))
    if key is None:
        raise Refused("E_KEY_UNKNOWN")
    try:
        key.verify(signature, header + b"." + b64u(content))
    except InvalidSignature:
        raise Refused("E_SIGNATURE") from None
    statement = parse(content)
    if not isinstance(statement, dict) or canonical(statement) != content:
        raise Refused("E_NONCANONICAL")
    if statement.get("eat_profile") != PROFILE:
        raise Refused("E_PROFILE")
    if not isinstance(statement.get("log"), str) or not LOG.fullmatch(statement["log"]):
        raise Refused("E_SCHEMA")
    if LOG.fullmatch(statement["log"]).group(1) != gateway:
        raise Refused("E_TOPIC")
    if statement["log"].rpartition("/")[0] != scope:
        raise Refused("E_KEY_SCOPE")
    if int(LOG.fullmatch(statement["log"]).group(2)) > time.time() + AHEAD_S:
        raise Refused("E_INCARNATION")
    return statement


def signer_of(message: bytes) -> str:
    """The key that signed a message which was verified."""
    header, _signature = ENVELOPE.search(message, max(0, len(message) - 700)).groups()
    return json.loads(from_b64u(header))["kid"]


def kid_of(header: bytes, typ: str) -> str:
    """The header is exactly alg, kid and typ. The key it names is not trusted by that."""
    try:
        names = json.loads(header)
        alg, kid, purpose = names["alg"], names["kid"], names["typ"]
        if len(names) != 3 or not isinstance(kid, str) or canonical(names) != header:
            raise Refused("E_HEADER")
    except (ValueError, KeyError, TypeError):
        raise Refused("E_HEADER") from None
    if alg != "Ed25519":
        raise Refused("E_ALG")
    if purpose != typ:
        raise Refused("E_TYP")
    return kid


def whole(statement: dict, *names: str) -> list:
    """Members that have to be numbers from 0. The JSON Schemas say what else a statement has."""
    values = [statement.get(name) for name in names]
    if not all(type(value) is int and 0 <= value < 2**53 for value in values):
        raise Refused("E_SCHEMA")
    return values


def leaf_of(message: bytes) -> bytes:
    return hashlib.sha256(b"\0" + message).digest()


# ---- a log: its chain and its tree


class Tree:
    """The Merkle tree of RFC 6962 as its right edge: complete subtrees, the largest first."""

    def __init__(self):
        self.size = 0
        self.edge = []  # (leaves, hash)

    def append(self, leaf: bytes):
        node = (1, leaf)
        while self.edge and self.edge[-1][0] == node[0]:
            left = self.edge.pop()
            node = (left[0] * 2, hashlib.sha256(b"\1" + left[1] + node[1]).digest())
        self.edge.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self.edge:
            return hashlib.sha256(b"").digest()
        root = self.edge[-1][1]
        for _leaves, left in reversed(self.edge[:-1]):
            root = hashlib.sha256(b"\1" + left + root).digest()
        return root


class Log:
    def __init__(self, name: str, size: int = 0, leaf=None, complete: bool = True, kid=None):
        self.name = name
        self.gateway, self.incarnation = LOG.fullmatch(name).groups()
        self.next = size
        self.leaf = leaf  # of the entry before `next`
        self.kid = kid  # the key that signed the newest entry; None while there is no entry
        self.held = {}  # messages above a gap, by seq
        self.tree = Tree() if complete else None  # as far as checkpoints agreed
        self.checkpoint = None  # the newest that waits for its entries
        self.newest = (0, 0)
        self.ask_at = 0.0
        self.acked_at = float("-inf")

    def missing(self):
        above = min(self.held, default=0)
        to = above if above > self.next else self.checkpoint["size"] if self.checkpoint else 0
        return [self.next, to] if to > self.next else None


# ---- the collector


class Collector:
    def __init__(self, options, keys: dict):
        self.options = options
        self.keys = keys
        self.arrived = queue.Queue(MOST_WAITING)
        self.db = sqlite3.connect(options.store)
        self.db.executescript(
            """pragma journal_mode = wal;
               pragma synchronous = full;
               create table if not exists entry (log text, seq integer, leaf blob, bytes blob, status text,
                 primary key (log, seq)) without rowid;
               create table if not exists alarm (at integer, code text, topic text, bytes blob,
                 unique (code, bytes) on conflict ignore);"""
        )
        self.logs = {}
        self.due = set()  # gateways that are to hear how far their newest log is here
        self.doubting = set()  # gateways that believe their own signature only
        self.sessions = {}  # in which each gateway was heard last
        ends = "select log, max(seq), leaf, count(*), bytes from entry group by log"
        for name, seq, leaf, count, message in self.db.execute(ends):
            self.logs[name] = Log(name, seq + 1, leaf, complete=count == seq + 1, kid=signer_of(message))
        self.client = self.new_client()

    # -- what comes

    def take(self, topic: str, payload: bytes):
        levels = topic[len(self.base) + 1 :].split("/")
        gateway, area = levels[0], levels[1]
        if area == "rsp":
            for entry in entries_of(payload):
                self.judge(topic, gateway, entry, self.take_entry, "miner-att+jwt")
        elif area == "cp":
            self.judge(topic, gateway, payload, self.take_checkpoint, "miner-cp+jwt")
        elif area == "log":
            self.judge(topic, gateway, payload, self.take_entry, "miner-att+jwt")
        elif area == "conn":
            self.heed(gateway, presence_of(payload))

    def heed(self, gateway: str, presence: dict):
        """What a gateway says of its presence. Unsigned: it is told how far its newest log is here, no more."""
        if presence.get("state") != "online" or not self.of(gateway):
            return
        session = presence.get("session")
        if gateway not in self.sessions or self.sessions[gateway] != session:
            self.due.add(gateway)  # it came, and sends nothing before it heard that: its state may have been put back
        self.sessions[gateway] = session
        named = presence.get("contradicted_by")
        if isinstance(named, list) and self.options.id in named:
            # Its state was put back: it is shown what it signed itself, and begins a new log.
            self.due.add(gateway)
            self.doubting.add(gateway)

    def judge(self, topic: str, gateway: str, message: bytes, take, typ: str):
        try:
            statement = verify(message, self.keys, typ, gateway)
            log = self.log(statement["log"])
            self.due.add(gateway)  # also for what is here already, or of a former log: it has not heard how far we are
            take(topic, log, message, statement)
        except Refused as refused:
            self.alarm(str(refused), topic, message)

    def of(self, gateway: str) -> list:
        return [log for log in self.logs.values() if log.gateway == gateway]

    def log(self, name: str) -> Log:
        if name not in self.logs:
            log = Log(name)
            # What a key signed that is not trusted any more takes no room.
            beside = [each for each in self.of(log.gateway) if each.kid in (None, *self.keys)]
            if len(beside) >= MOST_LOGS:
                # One without an entry makes room; the others are in the store.
                spare = next((each for each in beside if each.kid is None), None)
                if spare is None:
                    raise Refused("E_INCARNATION")
                del self.logs[spare.name]
            self.logs[name] = log
        return self.logs[name]

    def take_entry(self, topic: str, log: Log, message: bytes, statement: dict):
        (seq,) = whole(statement, "seq")
        if seq < log.next:
            known = self.db.execute("select leaf from entry where log = ? and seq = ?", (log.name, seq)).fetchone()
            if known is not None and known[0] != leaf_of(message):
                raise Refused("E_FORK")  # two signed messages for one place: a proof against the key of the gateway
        elif seq in log.held and log.held[seq] != message:
            raise Refused("E_FORK")
        elif seq == log.next or len(log.held) < MOST_HELD:
            log.held[seq] = message
            self.store_next(topic, log)

    def store_next(self, topic: str, log: Log):
        while log.next in log.held:
            self.store(topic, log, log.held.pop(log.next))

    def store(self, topic: str, log: Log, message: bytes):
        """The next entry takes its place. If it does not name the one before it, its content is not to be used."""
        statement = json.loads(message)
        before = hashlib.sha256(b"").digest() if log.next == 0 else log.leaf
        # After entries that are lost there is nothing to compare with.
        follows = before is None or statement.get("prev") == b64u(before).decode()
        status = "chained" if follows else "E_CHAIN"
        leaf = leaf_of(message)
        self.db.execute("insert into entry values (?, ?, ?, ?, ?)", (log.name, log.next, leaf, message, status))
        say("stored", log=log.name, seq=log.next, kind=statement.get("kind"), status=status)
        if status != "chained":
            self.alarm(status, topic, message)
        log.next, log.leaf, log.kid = log.next + 1, leaf, signer_of(message)
        log.ask_at = time.monotonic() + ASK_AFTER_S
        if log.checkpoint is not None and log.checkpoint["size"] == log.next:
            self.compare(topic, log, log.checkpoint)

    def take_checkpoint(self, topic: str, log: Log, message: bytes, statement: dict):
        size, first, bootcount, mono_ms = whole(statement, "size", "first", "bootcount", "mono_ms")
        if (bootcount, mono_ms) <= log.newest:
            return  # an older one again
        log.newest = (bootcount, mono_ms)
        if log.tree and size < log.tree.size:
            raise Refused("E_ROLLBACK")
        log.checkpoint = {"size": size, "root": statement.get("root"), "message": message}
        if first > log.next:
            self.skip(log, first)
            self.store_next(topic, log)
        if log.checkpoint is not None and size <= log.next:
            self.compare(topic, log, log.checkpoint)

    def skip(self, log: Log, first: int):
        """The gateway no longer holds what comes next: the chain begins anew, and without a tree."""
        say("lost", log=log.name, missing=[log.next, first])
        log.next, log.leaf, log.tree = first, None, None
        log.held = {seq: message for seq, message in log.held.items() if seq >= first}

    def compare(self, topic: str, log: Log, checkpoint: dict):
        """The tree of the gateway has to be ours."""
        log.checkpoint = None
        if log.tree is None:
            return
        rows = self.db.execute(
            "select leaf from entry where log = ? and seq >= ? and seq < ? order by seq",
            (log.name, log.tree.size, checkpoint["size"]),
        )
        for (leaf,) in rows:
            log.tree.append(leaf)
        if b64u(log.tree.root()).decode() == checkpoint["root"]:
            say("agreed", log=log.name, size=checkpoint["size"])
        else:
            self.alarm("E_FORK", topic, checkpoint["message"])

    def alarm(self, code: str, topic: str, message: bytes):
        """Kept as evidence, once."""
        alarm = (int(time.time()), code, topic, message, MOST_ALARMS)
        self.db.execute("insert into alarm select ?, ?, ?, ? where (select count(*) from alarm) < ?", alarm)
        say("alarm", code=code, topic=topic)

    # -- what is said

    def tell(self, log: Log):
        now = time.monotonic()
        missing = log.missing()
        if missing is None:
            log.ask_at = now + ASK_AFTER_S
        ask = missing is not None and now >= log.ask_at
        if ask:
            log.ask_at = now + ASK_AGAIN_S
            say("gap", log=log.name, missing=missing)
        if self.options.observer:
            if ask:
                self.ask(log, missing)
            return
        if log.next > 0 and log.leaf is None:
            return  # after lost entries the leaf that goes with `next` is not known yet
        due = log.gateway in self.due and now - log.acked_at >= ACK_EVERY_S
        if ask or due or now - log.acked_at >= ACK_IDLE_S:
            self.due.discard(log.gateway)
            log.acked_at = now
            ack = {"log": log.name, "next": log.next, "stored_at": int(time.time())}
            if log.leaf is not None:
                ack["leaf"] = b64u(log.leaf).decode()
            if ask:
                ack["gap"] = missing
            if log.gateway in self.doubting and log.next > 0:
                self.doubting.discard(log.gateway)
                last = "select bytes from entry where log = ? and seq = ?"
                ack["head"] = self.db.execute(last, (log.name, log.next - 1)).fetchone()[0].decode()
            self.publish(f"{log.gateway}/ack/{self.options.id}", ack)

    def ask(self, log: Log, missing: list):
        first, to = missing
        args = {"from": first, "to": min(to, first + MOST_ASKED)}
        request = {"id": str(uuid.uuid4()), "op": "resync", "args": args, "expires_at": int(time.time()) + 60}
        self.publish(f"{log.gateway}/cmd/{self.options.id}", request)

    def say_presence(self, state: str):
        self.presence_at = time.monotonic()
        return self.publish(f"_fleet/collector/{self.options.id}", self.presence(state), retain=True)

    def presence(self, state: str) -> dict:
        return {"state": state, "session": self.session, "at": int(time.time())}

    def publish(self, topic: str, content: dict, retain: bool = False):
        return self.client.publish(f"{self.base}/{topic}", json.dumps(content), qos=1, retain=retain)

    def current(self) -> list:
        """Of each gateway the log that no newer one replaces."""
        newest = {}
        # One without an entry, or whose key is not trusted any more, replaces none.
        for log in sorted(self.logs.values(), key=lambda log: (log.kid in self.keys, int(log.incarnation))):
            newest[log.gateway] = log
        return list(newest.values())

    # -- the connection

    @property
    def base(self) -> str:
        return f"{self.options.prefix}/v1"

    def new_client(self):
        # paho 1.6 of Debian 12 and 2.x of Debian 13 differ in this argument; the callbacks below suit both.
        version = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
        client = mqtt.Client(*version, client_id=self.options.id, clean_session=True, protocol=mqtt.MQTTv311)
        client.on_connect = self.on_connect
        client.on_disconnect = lambda *_: self.begin()
        client.on_message = lambda _client, _data, message: self.arrived.put((message.topic, message.payload))
        client.reconnect_delay_set(1, 60)
        return client

    def begin(self):
        """A session for each connection: the will of an earlier one, which may come late, is not taken for this one's."""
        self.session = str(uuid.uuid4())
        will = json.dumps(self.presence("lost"))
        self.client.will_set(f"{self.base}/_fleet/collector/{self.options.id}", will, qos=1, retain=True)

    def on_connect(self, client, _data, _flags, reason, _properties=None):
        if reason != 0:
            print(f"the broker refuses: {reason}", file=sys.stderr)
            return
        areas = ["log", "cp", "conn", f"rsp/{self.options.id}"]
        client.subscribe([(f"{self.base}/+/{area}", 1) for area in areas])
        self.arrived.put(None)  # greet, on the thread that owns the logs

    def greet(self):
        self.say_presence("online")
        # What the broker retains may be incomplete.
        self.publish(f"_fleet/rollcall/{self.options.id}", {"at": int(time.time())})
        for log in self.current():
            log.acked_at = float("-inf")

    def run(self, until):
        url = urllib.parse.urlsplit(self.options.broker)
        if url.scheme == "mqtts":
            self.client.tls_set(self.options.ca, self.options.cert, self.options.key)
        self.begin()
        self.client.connect_async(url.hostname, url.port or (8883 if url.scheme == "mqtts" else 1883), keepalive=30)
        self.client.loop_start()
        self.presence_at = time.monotonic()
        while not until():
            self.turn()
        if self.client.is_connected():
            self.say_presence("stopped").wait_for_publish(2)
        self.client.disconnect()
        self.client.loop_stop()
        self.db.close()

    def turn(self):
        batch = self.batch()
        with self.db:  # one transaction; if it fails the program ends, and what was not acknowledged comes again
            for arrival in batch:
                if arrival is not None:
                    self.take(*arrival)
        print_lines()
        if None in batch:
            self.greet()
        if not self.client.is_connected():
            return
        for log in self.current():
            self.tell(log)
        print_lines()
        if time.monotonic() - self.presence_at >= PRESENCE_S:
            self.say_presence("online")

    def batch(self) -> list:
        batch = []
        try:
            batch.append(self.arrived.get(timeout=0.1))
            while len(batch) < BATCH:
                batch.append(self.arrived.get_nowait())
        except queue.Empty:
            pass
        return batch


def entries_of(payload: bytes) -> list:
    """The messages on a page; none where it is something else, such as a refusal."""
    try:
        entries = json.loads(payload)["data"]["entries"]
        return [entry.encode() for entry in entries if isinstance(entry, str)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def presence_of(payload: bytes) -> dict:
    """What a gateway says of its presence; nothing where it cannot be read."""
    try:
        presence = json.loads(payload)
        return presence if isinstance(presence, dict) else {}
    except (ValueError, RecursionError):
        return {}


LINES = []


def say(event: str, **members):
    LINES.append(json.dumps({"event": event, **members}))


def print_lines():
    """After the commit: what is printed is true."""
    for line in LINES:
        print(line, flush=True)
    LINES.clear()


def main():
    parser = argparse.ArgumentParser(description="A collector for the logs of assayer gateways.")
    parser.add_argument("broker", help="mqtt://host:port or mqtts://host:port")
    parser.add_argument("--id", required=True, help="collector id, as in mqtt.collectors of the gateways")
    trust = "<operator>/<gateway>=<file>, its gateway.jwk.json; repeatable"
    parser.add_argument("--trust", required=True, action="append", metavar="KEY", help=trust)
    parser.add_argument("--store", required=True, metavar="FILE", help="SQLite file")
    parser.add_argument("--observer", action="store_true", help="acknowledge nothing, ask with resync")
    parser.add_argument("--prefix", default="attest")
    for name in ("ca", "cert", "key"):
        parser.add_argument(f"--{name}", metavar="FILE", help="PEM, for mqtts")
    options = parser.parse_args()
    keys = {}
    for trusted in options.trust:
        scope, equals, file = trusted.partition("=")
        if not equals:
            parser.error(f"--trust {trusted}: which gateway is the key of? <operator>/<gateway>=<file>")
        with open(file, "rb") as opened:
            jwk = json.load(opened)
        keys[thumbprint(jwk)] = scope, Ed25519PublicKey.from_public_bytes(from_b64u(jwk["x"].encode()))
    ended = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.append(True))
    Collector(options, keys).run(lambda: bool(ended))


if __name__ == "__main__":
    main()
