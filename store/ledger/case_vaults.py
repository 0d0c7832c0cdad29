"""The keys and contents of the cases of one write transaction: opened when first needed, new ones made. Never writes and never keeps a key
beyond the transaction.
"""

from routing.case.case import Case
from routing.case.submission import Submission
from store.ledger.draft import Draft
from store.ledger.prefetch import Known
from store.vault.content import content_submission, unseal
from store.vault.vault import CaseVault, Vault


class CaseVaults:
    """What was read from the database, and what the items of the transaction added."""

    def __init__(self, known: Known, kept: Draft, vault: Vault) -> None:
        self._known = known
        self._kept = kept
        self._vault = vault

    def add(self, draft: Draft, case_id: str) -> None:
        """Make the key of a new case."""
        case_vault, wrapped = self._vault.new_case(case_id)
        draft.vaults[case_id] = case_vault
        draft.case_keys.append({"case_id": case_id, "wrapped": wrapped})

    def of(self, draft: Draft, case_id: str) -> CaseVault:
        """What seals content of a case."""
        case_vault = draft.vaults.get(case_id) or self._kept.vaults.get(case_id)
        if case_vault is None:
            case_vault = draft.vaults[case_id] = self._vault.open_case(case_id, self._known.wrapped[case_id])
        return case_vault

    def content(self, case: Case) -> Submission | None:
        """The content of a case as the items before left it; None where it was not read or is erased."""
        if case.id in self._kept.contents:
            return self._kept.contents[case.id]
        if case.id not in self._known.boxes or case.id not in self._known.wrapped:
            return None
        leaf_idx, box = self._known.boxes[case.id]
        case_vault = self._vault.open_case(case.id, self._known.wrapped[case.id])
        return content_submission(case.workflow, case.task_id, unseal(case_vault, leaf_idx, box))
