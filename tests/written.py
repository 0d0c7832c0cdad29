"""The two files that the world of the tests is set up with: its policy and its services."""

POLICY = """
version: "2026-11-20.1"
changes: "for the stories"
owners: [U0GRACE0001, U0HUGO00001]
groups:
  frontline: {usergroup: review-frontline}
  seniors: {usergroup: review-seniors}
  experts: {usergroup: review-experts}
  owners: {usergroup: review-owners}
  nobody: {usergroup: review-nobody}
roles: {supervisor: [owners], duty_officer: [owners], policy_owner: [owners]}
channels: {operations: review-ops, owners: review-owners}
incidents: {routing_key: "${PD_INCIDENTS}", severity: critical}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, owner: U0GRACE0001, backup: U0HUGO00001, ack: 15m, decide: 4h}
      - {channel: review-tier2, group: seniors, owner: U0GRACE0001, ack: 15m, decide: 30m,
         pagerduty: {routing_key: "${PD_TIER2}", severity: warning, escalation_policy: PPTIER2A}}
    exhausted: hold
  deserted:
    tiers:
      - {channel: review-tier1, group: nobody, decide: 1h}
    exhausted: reject
defaults:
  undo: 0s
  duplicates: {tie: false}
  sampling: {rate: 0}
  checklist: {steps: []}
workflows:
  refunds: {ladder: standard, template: approval, requester: optional, required: [request], sensitive: {reveal: [seniors]}}
  limited:
    ladder: standard
    requester: optional
    risk_from: {amount: action.params.amount, currency: action.params.currency}
    locked: [action.params.customer]
    rules: [{name: large, when: "double(risk.amount) > 1000.0", lane: specialist, reason: "The amount is over 1,000."}]
  payouts: {ladder: standard, template: dual, requester: optional}
  summaries: {ladder: standard, template: auto, requester: optional}
  lonely: {ladder: deserted, template: approval, requester: optional}
  transfers: {ladder: standard, template: dual, requester: optional, clocks: [{preset: dual-2h-4h}, {clock: total, lasts: 3h}]}
  limits: {ladder: standard, template: approval, requester: optional, mode: sync, clocks: [{preset: sync-30m-async-4h}]}
  tickets: {ladder: standard, template: triage, requester: optional}
  tags: {ladder: standard, template: verify_after, requester: optional, sampling: {lasts: 4h}}
  audited: {ladder: standard, template: dual, requester: optional, checklist: {steps: [verify]}}
  twins: {ladder: standard, template: approval, requester: optional, duplicates: {tie: true, window: 1h}}
  drawn: {ladder: standard, template: auto, requester: optional, sampling: {rate: 0.2}, checklist: {steps: [check]}}
"""
SERVICES = """
services:
  - name: refund-agent
    secrets: ["${SERVICE_SECRET}"]
    callback_secret: "${CALLBACK_SECRET}"
    callback_url: "${CALLBACK_URL}"
    networks: ["127.0.0.0/8"]
    workflows: [refunds, limited, payouts, summaries, lonely, transfers, limits, tickets, tags, audited, twins, drawn]
"""
