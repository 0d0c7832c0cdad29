"""The services file: what an operator gets wrong is listed at once, with lines, and no secret is quoted."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from bot.services import ServicesError, load_services, read_services, services_schema

ONE = "whsec_b25lLW9uZS1vbmUtb25lLW9uZS1vbmUtb25lLW9uZQ=="
TWO = "whsec_dHdvLXR3by10d28tdHdvLXR3by10d28tdHdvLXR3bw=="
THREE = "whsec_dGhyZWUtdGhyZWUtdGhyZWUtdGhyZWUtdGhyZWU="

GOOD = """\
services:
  - name: refund-agent
    secrets: ["${REFUND_AGENT_SECRET}"]
    callback_secret: "${REFUND_CALLBACK_SECRET}"
    callback_url: https://refunds.internal.example/tierline
    networks: ["10.20.0.0/16"]
    workflows: [refunds]
"""
ENVIRONMENT = {"REFUND_AGENT_SECRET": f"{ONE},{TWO}", "REFUND_CALLBACK_SECRET": THREE}


def test_the_documented_file_loads() -> None:
    """Secrets come from the environment, two of them during a rotation; none shows when the service is printed."""
    service = load_services(GOOD.encode(), ENVIRONMENT).find("refund-agent")
    assert service is not None
    assert service.keys == (b"one-one-one-one-one-one-one-one", b"two-two-two-two-two-two-two-two")
    assert service.networks == (ip_network("10.20.0.0/16"),)
    assert service.workflows == {"refunds"}
    assert "one-one" not in repr(service)
    assert "three" not in repr(service)


def test_every_problem_is_listed_with_its_line() -> None:
    """One look at the message is enough to repair the whole file."""
    text = f"""\
services:
  - name: Refund Agent
    secrets: ["${{NOT_SET}}"]
    callback_secret: whsec_short
    callback_url: ftp://example.com
    network: [10.0.0.0/8]
    workflows: []
  - name: b
    secrets: [{ONE}]
    callback_secret: {ONE}
    callback_url: http://example.com/
    networks: [10.0.0.1/8]
    workflows: [refunds]
    workflows: [others]
  - name: c
    secrets: [{TWO}]
    callback_secret: {THREE}
    callback_url: http://example.com/
    workflows: [refunds]
  - name: c
    secrets: [{TWO}]
    callback_secret: whsec_Zm91ci1mb3VyLWZvdXItZm91ci1mb3Vy
    callback_url: https://example.com/
    workflows: [refunds]
"""
    with pytest.raises(ServicesError) as refused:
        load_services(text.encode(), {})
    found = {(problem.line, problem.pointer) for problem in refused.value.problems}
    assert found == {
        (2, "/services/0/name"),
        (3, "/services/0/secrets/0"),
        (4, "/services/0/callback_secret/0"),
        (5, "/services/0/callback_url"),
        (6, "/services/0/network"),
        (7, "/services/0/workflows"),
        (12, "/services/1/networks/0"),
        (14, "/services/1/workflows"),
        (18, "/services/2/callback_url"),
        (20, "/services/3/name"),
        (21, "/services/3/secrets"),
    }
    said = str(refused.value)
    assert 'did you mean "networks"?' in said
    assert "services.yml: line 3, /services/0/secrets/0: ${NOT_SET} is not set in the environment" in said
    assert not any(secret in said for secret in (ONE, TWO, THREE, "whsec_short"))


def test_a_callback_secret_is_no_intake_secret() -> None:
    """Who can read callbacks could otherwise post cases."""
    with pytest.raises(ServicesError, match="every secret has one use"):
        load_services(GOOD.encode(), {"REFUND_AGENT_SECRET": ONE, "REFUND_CALLBACK_SECRET": ONE})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"services",
        b"services:",
        b"services: []",
        b"services: [1]",
        b"\xff",
        b"a: [",
        b"? [a]\n: b",
        b"services: &x [*x]",
        b"a: !!python/object:os.system x",
        b"[" * 5000,
        b"services: \x00",
    ],
)
def test_a_file_that_is_no_services_file_is_refused(text: bytes) -> None:
    """Whatever the bytes are, the answer is a list of problems."""
    with pytest.raises(ServicesError):
        load_services(text, {})


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """The message names the setting that names the file."""
    with pytest.raises(ServicesError, match="TIERLINE_SERVICES"):
        read_services(tmp_path / "services.yml", {})


def test_the_schema_names_every_key() -> None:
    """`tierline services schema` is for editors: it knows the keys and that others are wrong."""
    service = services_schema()["$defs"]["ServiceForm"]
    assert service["additionalProperties"] is False
    assert set(service["properties"]) == {"name", "secrets", "callback_secret", "callback_url", "networks", "workflows"}
