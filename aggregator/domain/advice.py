"""Which customs modes are open to each unit: pure functions of facts. What is not known is named, never assumed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aggregator.schemas.modes.advice import ADVISED, NO, UNKNOWN, YES, Advised

OPEN, CLOSED, NOT_KNOWN = "yes", "no", "unknown"


def combined(facts: pd.DataFrame, unit: np.ndarray[tuple[int], np.dtype[np.int64]], units: int) -> pd.DataFrame:
    """Facts of lines to those of their units, numbered 0 to units-1: it applies to a unit where it does to a line, and is not known
    where it is of some line only and applies to none."""
    made = {}
    for name in facts:
        values, found = facts[name].to_numpy(), np.full(units, NO, dtype=np.int8)
        found[unit[values == UNKNOWN]] = UNKNOWN
        found[unit[values == YES]] = YES
        made[name] = found
    return pd.DataFrame(made)


def advise(units: pd.DataFrame) -> pd.DataFrame:
    """In: a unit a row: `unit`, each fact of the conditions (YES, NO, UNKNOWN), `value_missing` (what its value lacks, blanks
    between). Out: a unit and a mode a row: unit, mode, fits, reason, missing (joined by `;`), in the order of the units, then of the modes."""
    parts = [_of_mode(units, advised) for advised in ADVISED]
    for place, part in enumerate(parts):
        part["_unit"], part["_mode"] = np.arange(len(units)), place
    together = pd.concat(parts).sort_values(["_unit", "_mode"], kind="stable")
    return together[["unit", "mode", "fits", "reason", "missing"]].reset_index(drop=True)


def _of_mode(units: pd.DataFrame, advised: Advised) -> pd.DataFrame:
    count = len(units)
    closed, unknown = np.full(count, "", dtype=object), np.full(count, "", dtype=object)
    missing = np.full(count, "", dtype=object)
    for condition in advised.conditions:
        fact = units[condition.fact].to_numpy()
        closed[(closed == "") & (fact == condition.closes)] = condition.reason
        not_known = fact == UNKNOWN
        unknown[(unknown == "") & not_known] = f"unknown_{condition.fact}"
        lacks = units["value_missing"].to_numpy()[not_known] if condition.missing == ("rates",) else " ".join(condition.missing)
        missing[not_known] = missing[not_known] + " " + lacks
    fits = np.where(closed != "", CLOSED, np.where(unknown != "", NOT_KNOWN, OPEN))
    reason = np.where(closed != "", closed, np.where(unknown != "", unknown, advised.open_reason))
    texts = {text: ";".join(dict.fromkeys(text.split())) for text in set(missing.tolist())}
    named = np.array([texts[text] for text in missing.tolist()], dtype=object)
    return pd.DataFrame({"unit": units["unit"].to_numpy(), "mode": advised.mode, "fits": fits, "reason": reason, "missing": np.where(fits == NOT_KNOWN, named, "")})


def by_consignor(units: pd.DataFrame, advice: pd.DataFrame) -> pd.DataFrame:
    """In: units (consignor_code, consignor_name, value_fen: -1 where it is not known) and what `advise` says of them. Out: a consignor and
    a mode a row: how many units it is open to, closed to and not known of, and what those it is open to are worth together."""
    modes = len(ADVISED)
    rows = pd.DataFrame({
        "consignor_code": np.repeat(units["consignor_code"].to_numpy(), modes),
        "consignor_name": np.repeat(units["consignor_name"].to_numpy(), modes),
        "place": np.tile(np.arange(modes), len(units)),
        "value": np.repeat(units["value_fen"].to_numpy(), modes),
        "fits": advice["fits"].to_numpy(),
    })  # fmt: skip
    for fits in (OPEN, CLOSED, NOT_KNOWN):
        rows[fits] = (rows["fits"] == fits).astype(np.int64)
    rows["value_fen"] = np.where((rows["fits"] == OPEN) & (rows["value"] >= 0), rows["value"], 0)
    rows["value_unknown"] = ((rows["fits"] == OPEN) & (rows["value"] < 0)).astype(np.int64)
    names = rows.groupby("consignor_code", sort=True)["consignor_name"].first()
    counted = rows.groupby(["consignor_code", "place"], sort=True)[[OPEN, CLOSED, NOT_KNOWN, "value_fen", "value_unknown"]].sum().reset_index()
    counted.insert(1, "consignor_name", names.loc[counted["consignor_code"]].to_numpy())
    counted.insert(2, "mode", [ADVISED[place].mode for place in counted["place"]])
    return counted.drop(columns="place")
