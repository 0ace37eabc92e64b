"""Who the customers are and what happened to them. One module per family of tables."""

from .contracts import Consent, ExchangeRate
from .conversion import AmountChange, Conversion, Rereading
from .duplicates import DuplicateKey, DuplicateSearch
from .erasure import ErasedIdentifier, Erasure
from .identity import (
    Account,
    Affiliation,
    Customer,
    Identity,
    Merge,
    MergedProfile,
    Profile,
    ProfileMove,
    Trait,
    TraitTelling,
)
from .installation import Installation
from .intake import Cause, Import, ImportBrought, ImportContent, ImportRows, RawBody, Reject, Stale
from .possible_merge import PossibleMerge
from .score_step import ScoreStep
from .touchpoint import (
    Channel,
    OrderLine,
    PropertyKey,
    PropertyValue,
    Role,
    Source,
    Touchpoint,
    TouchpointType,
)

__all__ = [
    "Account",
    "Affiliation",
    "AmountChange",
    "Cause",
    "Channel",
    "Consent",
    "Conversion",
    "Customer",
    "DuplicateKey",
    "DuplicateSearch",
    "ErasedIdentifier",
    "Erasure",
    "ExchangeRate",
    "Identity",
    "Import",
    "ImportBrought",
    "ImportContent",
    "ImportRows",
    "Installation",
    "Merge",
    "MergedProfile",
    "OrderLine",
    "PossibleMerge",
    "Profile",
    "ProfileMove",
    "PropertyKey",
    "PropertyValue",
    "RawBody",
    "Reject",
    "Rereading",
    "Role",
    "ScoreStep",
    "Source",
    "Stale",
    "Touchpoint",
    "TouchpointType",
    "Trait",
    "TraitTelling",
]
