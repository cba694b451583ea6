"""What tells an import from an export. 9610 is the trade mode of both, and only exports are merged into summary declarations.

Of imports no message specification is at hand: their elements and messages are general knowledge of the trade [UNVERIFIED].
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas import patterns
from aggregator.schemas.field import Field
from aggregator.schemas.sources import Cite, Status, ours

IMPORT_FLAGS = ("I", "IMPORT", "进")
"""Values of ieFlag (进出口标志); 进口 is a name of the code list."""
IMPORT_NUMBER = "[0-9]{8}I[0-9]{9,11}"
"""An inventory number bears the mark of its direction: 4 customs, 4 year, I or E, 9 to 11 digits."""

IMPORT_ON = ("进口日期", "进境日期")
ENTRY_CUSTOMS = ("进境关别", "进境口岸", "进口口岸", "进口口岸代码", "入境口岸", "入境关别", "进境关别代码")
IMPORT_NUMBERS = ("进口清单编号", "进口清单号", "进口申报清单编号")
SURE_HEADINGS = frozenset({*IMPORT_ON, *ENTRY_CUSTOMS, *IMPORT_NUMBERS, "import_on", "entry_customs_code", "import_inventory_no"})
"""Headings that only an import has: one is enough where no heading speaks of an export."""
LIKELY_HEADINGS = frozenset({
    *("关税", "增值税", "消费税", "进口增值税", "进口消费税", "关税税额", "增值税税额", "消费税税额", "综合税", "跨境电商综合税", "应征税额", "应缴税额", "税款金额", "完税价格", "税款担保"),
    *("订购人", "订购人姓名", "订购人证件类型", "订购人证件号码", "订购人电话", "担保企业编号", "担保扣税", "起运国", "起运国(地区)", "启运国", "启运国(地区)"),
    *("assurecode", "buyeridtype", "buyeridnumber", "buyername", "buyertelephone", "customstax", "valueaddedtax", "consumptiontax", "taxtotal", "taxfee"),
})  # fmt: skip
"""Taxes, the Chinese buyer, the country of departure, normalised: an import where several stand together."""
SEVERAL = 2
_OUT, _IN = ("出口", "出境", "离境"), ("进", "入")
_OWN = ("export_on", "exit_customs_code")

IMPORT_MESSAGES = frozenset(
    f"CEB{number}Message" for number in (311, 312, 411, 412, 511, 512, 513, 514, 621, 622, 623, 624, 625, 626, 711, 712, 816, 818)
)
CITES = (
    Cite("GACC-2018-194", "imports are taxed inventory by inventory; only exports are summarised", Status.READ_PARTIAL),
    ours("which headings, numbers and messages are of imports", Status.INFERENCE),
)


def import_headings(headings: list[str]) -> tuple[str, ...]:
    """Headings that say that the table is one of imports; none where others say that it is one of exports. In: normalised headings."""
    if any(_of_export(heading) for heading in headings):
        return ()
    sure = tuple(heading for heading in headings if heading in SURE_HEADINGS)
    likely = tuple(heading for heading in headings if heading in LIKELY_HEADINGS)
    return (*sure, *likely) if sure or len(likely) >= SEVERAL else ()


def _of_export(heading: str) -> bool:
    return heading in _OWN or (any(word in heading for word in _OUT) and not any(word in heading for word in _IN))


def is_no_import(values: pa.Array, field: Field) -> pa.Array:
    """Of the flag and the inventory number their own mark; in the other columns, which only imports have, a value is enough."""
    if field.column == "direction_code":
        return pc.invert(pc.fill_null(pc.is_in(values, value_set=pa.array(IMPORT_FLAGS)), False))
    if field.column == "inventory_no":
        suspects = pc.fill_null(pc.equal(pc.utf8_slice_codeunits(values, 8, 9), "I"), False)
        if not pc.any(suspects).as_py():
            return pc.invert(suspects)
        return pc.invert(pc.and_(suspects, patterns.matches(values, IMPORT_NUMBER)))
    return pc.or_kleene(values.is_null(), pc.fill_null(pc.is_in(values, value_set=pa.array(_NOTHING)), True))


_NOTHING = ("/", "-", "--", "无", "0")
