"""Register of the legal and technical sources that rules and fields cite.

A citation is (source, article, status). The status says how sure we are: users must be able to tell the law
from our reading of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aggregator.schemas.articles import SECONDARY, article_in_chinese
from aggregator.schemas.text import Text


class Status(StrEnum):
    """How sure a cited fact is."""

    READ = "READ"
    READ_PARTIAL = "READ-partial"
    UNVERIFIED = "UNVERIFIED"
    INFERENCE = "INFERENCE"
    OURS = "OURS"
    """Not from any source: a decision of this tool, written down so that it can be disputed."""


CERTAINTY: Mapping[Status, str] = {
    Status.READ: "已核对原文", Status.READ_PARTIAL: "部分核对原文", Status.UNVERIFIED: "未核实", Status.INFERENCE: "推断", Status.OURS: "本工具的规定",
}  # fmt: skip
"""In Chinese."""


@dataclass(frozen=True)
class Source:
    id: str
    issuer: str
    title: str
    number: str
    dated: str
    in_force_from: str
    in_force_to: str = ""

    @property
    def named(self) -> Text:
        """Title and number, with who issued it."""
        return Text(_joined(self.issuer, self.title, self.number), _joined(*(SECONDARY.get(part, part) for part in (self.issuer, self.title, self.number))))

    @property
    def titled(self) -> Text:
        return Text(_joined(self.title, self.number), _joined(SECONDARY.get(self.title, self.title), self.number))


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))


@dataclass(frozen=True)
class Cite:
    source: str
    article: str
    status: Status

    def __str__(self) -> str:
        return self.text.en

    @property
    def text(self) -> Text:
        said = self.said
        return Text(f"{self.source}, {said.en}", f"{self.source}，{said.zh}")

    @property
    def said(self) -> Text:
        """Without the source: the article, and how sure it is."""
        return Text(f"{self.article} [{self.status}]", f"{article_in_chinese(self.article)} [{CERTAINTY[self.status]}]")


SOURCES: dict[str, Source] = {
    source.id: source
    for source in (
        Source(
            "GACC-2018-194",
            "海关总署 GACC",
            "关于跨境电子商务零售进出口商品有关监管事宜的公告",
            "2018年第194号",
            "2018-12-10",
            "2019-01-01",
        ),
        Source(
            "GACC-2016-26",
            "海关总署 GACC",
            "关于跨境电子商务零售进出口商品有关监管事宜的公告",
            "2016年第26号",
            "2016-04-06",
            "2016-04-08",
            "2018-12-31",
        ),
        Source(
            "CEB-SPEC-202205",
            "海关总署 GACC",
            "海关跨境电商统一版系统企业对接报文规范",
            "202205版",
            "2022-05",
            "2022-05-01",
        ),
        Source(
            "CEB-SPEC-2018-113",
            "海关总署 GACC",
            "海关跨境统一版系统企业对接报文规范（试行）",
            "2018年第113号",
            "2018",
            "2018-09-30",
        ),
        Source("GACC-2020-75", "海关总署 GACC", "关于开展跨境电子商务企业对企业出口监管试点的公告", "2020年第75号", "2020-06-12", "2020-07-01"),
        Source("BROKER-GUIDES", "brokers and local customs", "guides to 9610, 9710 and 9810 by brokers and local customs, secondary", "", "", ""),
        Source("GB-32100", "SAC", "法人和其他组织统一社会信用代码编码规则", "GB 32100-2015", "2015-09-17", "2015-10-01"),
        Source("JGS-20", "海关总署 GACC", "海关业务代码集", "JGS-20", "", ""),
        Source("JGS-T-18", "海关总署 GACC", "海关关区代码", "JGS/T 18", "", ""),
        Source(
            "SW-PRACTICE",
            "中国国际贸易单一窗口",
            "limits seen in Single Window software for bonded goods; an analogy for 9610",
            "",
            "",
            "",
        ),
        Source(
            "GACC-2019-221",
            "海关总署 GACC",
            "关于修订市场采购贸易监管办法及其监管方式有关事宜的公告",
            "2019年第221号",
            "2019",
            "",
        ),
        Source("GACC-2014-54", "海关总署 GACC", "关于市场采购贸易监管办法及其监管方式有关事宜的公告", "2014年第54号", "2014", ""),
        Source("GACC-272", "海关总署 GACC", "中华人民共和国海关进出口货物征税管理办法", "总署令第272号", "2025-01-14", ""),
        Source(
            "MARKET-PRACTICE",
            "brokers and market platforms",
            "what programs and papers of market procurement (Yiwu, Guangzhou) do: practice of their place and time, never law",
            "",
            "",
            "",
        ),
        Source("TOOL", "this project", "decisions of this tool: docs/ARCHITECTURE.md", "", "2026-11-23", "2026-11-23"),
    )
}


def spec(element: str, status: Status = Status.READ) -> Cite:
    """Citation of one element of the inventory message CEB603 (table 2-38)."""
    return Cite("CEB-SPEC-202205", f"table 2-38, {element}", status)


def ours(why: str, status: Status = Status.OURS) -> Cite:
    return Cite("TOOL", why, status)
