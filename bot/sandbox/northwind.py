"""Northwind outside Slack: its PagerDuty account and its refund agent, to begin with. Values only; every secret is made up."""

from __future__ import annotations

from bot.sandbox.customer import CustomerConfig
from bot.sandbox.pagerduty.account import PagedService, PagerDutyConfig, Responder

PAGERDUTY = PagerDutyConfig(
    responders=(
        Responder("PDMITRI1", "Dmitri Volkov", "dmitri@northwind.example"),
        Responder("PELENA01", "Elena Petrova", "elena@northwind.example"),
        Responder("PFARID01", "Farid Haddad", "farid@northwind.example"),
        Responder("PGRACE01", "Grace Mwangi", "grace@northwind.example"),
        Responder("PHUGO001", "Hugo Martins", "hugo@northwind.example"),
    ),
    services=(
        PagedService("PSTIER2A", "Review tier 2", "c0ffee0000000000000000000000t1r2", "PPTIER2A", "Review tier 2"),
        PagedService("PSEXPERT", "Review experts", "c0ffee00000000000000000000expert", "PPEXPERT", "Review experts"),
        PagedService("PSDUTY01", "Duty manager", "c0ffee0000000000000000000000duty", "PPDUTY01", "Duty manager"),
    ),
    on_call={"PPTIER2A": ("PDMITRI1", "PGRACE01"), "PPEXPERT": ("PELENA01", "PFARID01"), "PPDUTY01": ("PHUGO001", "PGRACE01")},
    api_token="sandbox-pagerduty-token",  # noqa: S106  # made up
    webhook_secrets=("sandbox-pagerduty-webhook-secret",),
)

TICKETS = "whsec_c2FuZGJveC10aWNrZXQtc3lzdGVtLXNpZ25pbmctc2VjcmV0"
"""The secret of the ticket system; made up."""

REFUND_AGENT = CustomerConfig(
    name="refund-agent",
    secret="whsec_c2FuZGJveC1yZWZ1bmQtYWdlbnQtaW50YWtlLXNlY3JldA==",  # noqa: S106  # made up
    callback_secrets=("whsec_c2FuZGJveC1yZWZ1bmQtYWdlbnQtY2FsbGJhY2stc2VjcmV0",),
)
