"""What the parts of the policy form are made of: names, sentences, tier numbers, the strict base. Owns these types only."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

LAST = 1_000
"""The tier number that stands for the last tier of whatever ladder it is."""


def _tier_number(value: object) -> object:
    if value == "last":
        return LAST
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 9:
        raise ValueError('expected a tier number from 1, or "last"')
    return value


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=300)]
UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,30}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[^@\s.]+(\.[^@\s.]+)+$", max_length=253)]
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
EmailAddress = Annotated[str, StringConstraints(pattern=rf"^{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=254)]
"""An address as RFC 5321 has it without quoting (dot-atom, host names in ASCII): nothing in it can end a header or name a second one."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
TierNumber = Annotated[
    int,
    BeforeValidator(_tier_number),
    WithJsonSchema({"oneOf": [{"type": "integer", "minimum": 1, "maximum": 9}, {"const": "last"}]}),
]


class Part(BaseModel):
    """Strict and frozen; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
