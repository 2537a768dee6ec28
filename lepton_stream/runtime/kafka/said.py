"""What a broker answered, in words: Kafka's name for the error, and what a person can do about it."""

from __future__ import annotations

from aiokafka.errors import KafkaError, for_code

REMEDIES = {
    3: "create the topics with: lepton-stream topics apply PIPELINE",
    10: "raise the topic's max.message.bytes: lepton-stream topics apply PIPELINE sets ours",
    17: "choose another name for the pipeline or its source topic",
    19: "bring the missing brokers back, or lower min.insync.replicas",
    20: "bring the missing brokers back, or lower min.insync.replicas",
    26: "set LEPTON__KAFKA__SESSION_SECONDS within group.min.session.timeout.ms and group.max.session.timeout.ms",
    29: "allow this user READ, WRITE, CREATE and DESCRIBE on the pipeline's topics",
    30: "allow this user READ and DELETE on the group of the pipeline's name",
    31: "allow this user CREATE and DESCRIBE_CONFIGS on the cluster",
    37: "set topics.partitions to 1 or more, and not below what there is",
    38: "set topics.replication to at most the number of brokers",
    44: "ask the cluster's operators what their policy wants",
    53: "allow this user WRITE on transactional ids that begin with the group's name",
    58: "check LEPTON__KAFKA__USERNAME and LEPTON__KAFKA__PASSWORD_FILE",
}
"""Next step by error code (https://kafka.apache.org/protocol.html#protocol_error_codes)."""
ELSE = "look into the broker's log, and run `lepton-stream doctor --broker HOST:PORT`"


def told(code: int) -> str:
    """Kafka's name for an error code, for messages."""
    return "FencedInstanceId" if code == 82 else for_code(code).__name__.removesuffix("Error")


def remedy(code: int | None) -> str:
    """What to do about an error code."""
    return ELSE if code is None else REMEDIES.get(code, ELSE)


def said(code: int, message: str | None = "") -> str:
    """`the broker says InvalidReplicationFactor: its words; what to do`."""
    return f"the broker says {told(code)}{f': {message}' if message else ''}; {remedy(code)}"


def raised(error: BaseException) -> str:
    """The same for an error that the client library raised."""
    words = str(error).removeprefix(f"[Error {getattr(error, 'errno', '')}] ")
    name = type(error).__name__.removesuffix("Error")
    code = getattr(error, "errno", None) if isinstance(error, KafkaError) else None  # not all of its errors have one
    return f"{name}{'' if words in ('', type(error).__name__) else f' {words}'}; {remedy(code)}"
