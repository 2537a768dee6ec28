"""Every error of the client library can be told in words, with a remedy."""

from __future__ import annotations

import inspect

import aiokafka.errors
import pytest
from aiokafka.errors import BrokerResponseError, KafkaConnectionError, KafkaError

from lepton_stream.runtime.kafka.said import raised

FOUND = [kind for _, kind in inspect.getmembers(aiokafka.errors, inspect.isclass) if issubclass(kind, KafkaError)]
KINDS = [kind for kind in FOUND if kind is not BrokerResponseError]  # the base of those with a number has none


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_of_any_kind_is_told_by_its_name(kind: type[KafkaError]) -> None:
    error = Exception.__new__(kind)  # with nothing said
    assert raised(error).startswith(kind.__name__.removesuffix("Error"))


def test_what_it_says_is_told_with_it() -> None:
    assert "Connection at a:1 closed" in raised(KafkaConnectionError("Connection at a:1 closed"))
