"""`aggregator rates check`: what is wrong with the table of exchange rates, which days it lacks, and which rates are doubtful."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aggregator.domain.rate_findings import RateFinding, doubts, overlaps, parsed, uncovered
from aggregator.domain.rates import Rate
from aggregator.inputs.tables.rates import written_rates
from aggregator.model.errors import Exit
from aggregator.model.period import Period
from aggregator.model.settings import RateSettings


@dataclass(frozen=True)
class CheckedRates:
    """`rates`: those that can be read. `findings`: errors before doubts, each kind in the order of the days."""

    period: Period
    rates: tuple[Rate, ...]
    findings: tuple[RateFinding, ...]

    @property
    def exit_code(self) -> Exit:
        return Exit.WAITING if self.findings else Exit.DONE


def check_rates(settings: RateSettings, period: Period, needed: Iterable[str]) -> CheckedRates:
    """`needed`: customs' codes of currencies that must have a rate on each day, besides those of the table."""
    written, _ = written_rates(settings)
    rates, wrong = parsed(written)
    found = (*wrong, *overlaps(rates), *uncovered(rates, period.first_day, period.last_day, needed), *doubts(rates))
    return CheckedRates(period, tuple(sorted(rates)), found)
