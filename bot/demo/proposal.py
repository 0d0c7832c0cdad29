"""The policy that somebody at Northwind proposes in the demonstration: the present one, a little stricter. Owns what is different."""

from bot.demo.stage import Stage
from routing.policy.file import load_policy
from routing.policy.policy import Policy

_CHANGES = {
    'version: "demo-1"': 'version: "demo-2"',
    '"the policy of the demonstration"': '"refunds over 500 go to a senior"',
    '        reason: "The amount is over 1,000."\n': """        reason: "The amount is over 1,000."
      - name: medium
        when: has(risk.amount) && double(risk.amount) > 500.0
        lane: specialist
        reason: "The amount is over 500."
""",
    "    action_types: [product.recall]\n": """    action_types: [product.recall]
    examples:
      - name: kettle
        case:
          request: "The handle came off while it was full."
          action: {type: product.recall, params: {sku: NW-5120}, reversible: false}
          model: {confidence: 0.91}
          evidence: [{id: mails, kind: quote}]
          risk: {impact: high, likelihood: 0.6}
        lane: expert
""",
}


def next_policy(stage: Stage) -> Policy:
    """The demonstration's own policy with its changes. Raises ValueError where it does not hold what is to be changed."""
    text = stage.text.decode()
    for old, new in _CHANGES.items():
        if old not in text:
            raise ValueError(f"the policy of the demonstration no longer says {old}")
        text = text.replace(old, new)
    return load_policy(text.encode(), stage.environment, "policy")
